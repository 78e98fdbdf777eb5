"""Labelled messages: read, check, encode, split, audit."""

from reclamo.corpus.example import Example, check_labels
from reclamo.corpus.readers import read_corpus
from reclamo.corpus.targets import Targets, encode_targets

__all__ = ["Example", "Targets", "check_labels", "encode_targets", "read_corpus"]
