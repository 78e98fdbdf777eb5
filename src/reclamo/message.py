"""What goes in: one message from one writer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Literal

UnscoredReason = Literal["empty", "unsupported_language", "not_text", "broken", "over_limit", "automatic"]
UNSCORED_REASONS: Final[tuple[UnscoredReason, ...]] = (
    "empty",
    "unsupported_language",
    "not_text",
    "broken",
    "over_limit",
    "automatic",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """Why a message cannot be scored: a coded reason and a sentence for a person."""

    reason: UnscoredReason
    detail: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RemovedSpan:
    """A stretch of a mail's decoded body that cleaning took.

    Attributes:
        kind: `quoted`, `introduction`, `forwarded_header`, `signature`, `device`, `disclaimer`, `footer`, `banner`, `picture` or `contact`.
        start, end: characters of the decoded body. line, lines: its first line, counted from 1, and how many.
        text: the stretch itself, where it was asked for.
    """

    kind: str
    start: int
    end: int
    line: int
    lines: int
    text: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Cleaning:
    """What cleaning took of a mail's decoded body of so many `characters`.

    Attributes:
        characters: of the body. removed: how many of them went, by kind.
        spans: where they stood, in order. left_out: further spans that are not told.
    """

    characters: int
    removed: Mapping[str, int]
    spans: tuple[RemovedSpan, ...]
    left_out: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Give the form that rows hold."""
        spans = [{name: value for name, value in asdict(span).items() if value is not None} for span in self.spans]
        return {"characters": self.characters, "removed": dict(self.removed), "spans": spans, "left_out": self.left_out}

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Cleaning:
        """Read what `to_dict` gave."""
        return cls(**{**row, "spans": tuple(RemovedSpan(**span) for span in row["spans"])})


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One text from one writer, without quoted history, signature and HTML.

    Attributes:
        id: unique within the source; given back in the row.
        text: what the writer wrote; empty where `problem` says why.
        role: `customer` or `agent` where the caller knows it; None lets the tagger decide.
        lang: `es`, `el`, `it` where the caller knows it; None lets the detector decide.
        subject, date, thread, sender: as the source gives them (date in ISO 8601).
        problem: set by a source that met a message it could not read.
        cleaning: what was taken of a mail, where it was asked for; no part of the row.
    """

    id: str
    text: str
    role: str | None = None
    lang: str | None = None
    subject: str | None = None
    date: str | None = None
    thread: str | None = None
    sender: str | None = None
    problem: Problem | None = None
    cleaning: Cleaning | None = None

    def to_dict(self) -> dict[str, Any]:
        """Give the row form; absent fields are left out. Example: Message(id="1", text="a") -> {"id": "1", "text": "a"}."""
        row: dict[str, Any] = {}
        for name in _PLAIN:
            value = getattr(self, name)
            if value is not None:
                row[name] = value
        if self.problem is not None:
            row["problem"] = {"reason": self.problem.reason, "detail": self.problem.detail}
        return row

    @classmethod
    def from_dict(cls, row: Mapping[str, Any], *, id: str | None = None) -> Message:
        """Read a row of the contract; `id` stands in where the row has none. Unknown keys are left alone.

        A value that is not what the contract says becomes a `problem`, never an exception: one bad row must
        not stop a batch.
        """
        key = row.get("id")
        name = (id or "") if _is_absent(key) else without_surrogates(str(key))
        text = row.get("text")
        if not isinstance(text, str):
            seen = "no text" if text is None else f"text of type {type(text).__name__}"
            return cls(id=name, text="", problem=Problem(reason="not_text", detail=f"the row has {seen}; expected a string"))
        values: dict[str, Any] = {}
        for field_name in _PLAIN[2:]:
            value = row.get(field_name)
            values[field_name] = None if _is_absent(value) else without_surrogates(str(value))
        return cls(id=name, text=text, **values)


def _is_absent(value: Any) -> bool:
    """Whether a value says that there is none: None, an empty text, or what data frames have in place of nothing (NaN, pandas' NA)."""
    try:
        return value is None or bool(value == "" or value != value)
    except (TypeError, ValueError):  # neither the same nor another: NA; an array is no name either
        return True


_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def without_surrogates(text: str) -> str:
    """Put U+FFFD for what no encoding can write: bytes of a file name or header that are no UTF-8, and half characters of JSON."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


_PLAIN: Final = tuple(f.name for f in fields(Message) if f.name not in ("problem", "cleaning"))
