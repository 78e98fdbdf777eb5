"""A body as lines that can be marked and taken away."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from reclamo.mail.limits import Deadline
from reclamo.text import clean_text

Kind = Literal["quoted", "introduction", "forwarded_header", "signature", "device", "disclaimer", "footer", "banner", "picture", "contact"]
HISTORY: Final[frozenset[Kind]] = frozenset({"quoted", "introduction", "forwarded_header"})
MAX_KEY: Final = 400  # characters of a line that a marker is looked for in

_FACE = re.compile(r">(?:[:;=]-?[(<\[|/\\]|[_.]<|\(+$)")
_WORD = re.compile(r"\w+")


@dataclass(slots=True)
class Line:
    """One line: its span in the body with its line end, its text in normal form for matching, and what it was found to be."""

    start: int
    end: int
    key: str
    raw: str
    kind: Kind | None = None

    @property
    def is_quoted(self) -> bool:
        """True for a line that begins with ">", unless that is a face: ">:("."""
        return self.key.startswith((">", "&gt;")) and not _FACE.match(self.key)

    @property
    def words(self) -> int:
        """How many words the line has, of the part that is matched."""
        return len(_WORD.findall(self.key))


def split_lines(text: str, deadline: Deadline) -> list[Line]:
    """Split a body at its LFs."""
    lines: list[Line] = []
    position = 0
    for number, raw in enumerate(text.split("\n")):
        if not number % 2048:
            deadline.check()
        end = min(position + len(raw) + 1, len(text))
        lines.append(Line(position, end, _key(raw), raw[:MAX_KEY]))
        position = end
    return lines


def _key(raw: str) -> str:
    return clean_text(raw[:MAX_KEY]).replace("*", "").replace("\n", " ").strip()


def next_filled(lines: list[Line], index: int) -> int:
    """Give the next line at or after `index` that is not blank, or len(lines)."""
    while index < len(lines) and not lines[index].key:
        index += 1
    return index


def mark(lines: list[Line], start: int, end: int, kind: Kind) -> None:
    """Mark the lines that nothing else has claimed."""
    for line in lines[start:end]:
        if line.kind is None:
            line.kind = kind
