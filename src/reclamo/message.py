"""What goes in: one message from one writer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
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
class Message:
    """One text from one writer, without quoted history and signature.

    Attributes:
        id: unique within the source; given back in the row.
        text: what the writer wrote; empty where `problem` says why.
        role: `customer` or `agent` where the caller knows it; None lets the tagger decide.
        lang: `es`, `el`, `it` where the caller knows it; None lets the detector decide.
        subject, date, thread, sender: as the source gives them (date in ISO 8601).
        problem: set by a source that met a message it could not read.
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
        name = without_surrogates(str(key) if key not in (None, "") else (id or ""))
        text = row.get("text")
        if not isinstance(text, str):
            seen = "no text" if text is None else f"text of type {type(text).__name__}"
            return cls(id=name, text="", problem=Problem(reason="not_text", detail=f"the row has {seen}; expected a string"))
        values: dict[str, Any] = {}
        for field_name in _PLAIN[2:]:
            value = row.get(field_name)
            values[field_name] = None if value is None or value == "" else without_surrogates(str(value))
        return cls(id=name, text=text, **values)


_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def without_surrogates(text: str) -> str:
    """Put U+FFFD for what no encoding can write: bytes of a file name or header that are no UTF-8, and half characters of JSON."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


_PLAIN: Final = tuple(f.name for f in fields(Message) if f.name != "problem")
