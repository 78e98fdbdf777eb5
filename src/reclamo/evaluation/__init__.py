"""Measure taggers: metrics, intervals, comparison, report, card."""
