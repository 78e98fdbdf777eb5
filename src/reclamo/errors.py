"""The exception tree.

ReclamoError
├── UsageError         wrong use: an unknown option value, format or column         (exit code 2)
│   └── MissingExtraError   an optional dependency is not installed
├── SourceError        a source of messages could not be read                       (exit code 3)
├── SinkError          an output could not be written                               (exit code 3)
├── TaxonomyError      a taxonomy file breaks a rule                                (exit code 2)
├── CorpusError        a row of a labelled corpus breaks a rule                     (exit code 2)
├── ArtefactError      a tagger's folder is missing, broken or of another version   (exit code 3)
└── BaseModelError     a base encoder could not be found or read                    (exit code 3)

Each message says what was seen, what was expected and what to do.
"""

from __future__ import annotations

from pathlib import Path


class ReclamoError(Exception):
    """Base of every error that Reclamo raises on purpose."""

    exit_code = 3

    def __init__(self, message: str, *, path: str | Path | None = None, line: int | None = None) -> None:
        where = "" if path is None else f"{path}:{line}: " if line is not None else f"{path}: "
        super().__init__(where + message)
        self.path = None if path is None else str(path)
        self.line = line


class UsageError(ReclamoError):
    """The caller asked for something that does not exist."""

    exit_code = 2


class MissingExtraError(UsageError):
    """An optional dependency is missing; the message holds the pip line."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"the package {package!r} is not installed; run: pip install 'reclamo[{extra}]'")


class SourceError(ReclamoError):
    """A source of messages is missing or unreadable as a whole."""


class SinkError(ReclamoError):
    """An output could not be opened or written."""


class TaxonomyError(ReclamoError):
    """A taxonomy file breaks a rule."""

    exit_code = 2


class CorpusError(ReclamoError):
    """A row of a labelled corpus breaks a rule."""

    exit_code = 2


class ArtefactError(ReclamoError):
    """A tagger's folder is missing, broken or of an unknown version."""


class BaseModelError(ReclamoError):
    """A base encoder could not be found or read."""
