"""Measure speed: systems side by side on the same messages, in one run, against the peaks of the same machine."""
