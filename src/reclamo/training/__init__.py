"""Train a tagger (needs torch): configuration, data, loop, calibration, export."""
