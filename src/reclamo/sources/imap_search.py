"""Search keys of IMAP (RFC 3501, 6.4.4): dates, and the caller's own, as the lists that IMAPClient sends."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from reclamo.errors import UsageError

_TOKEN: Final = re.compile(r'\s*(?:(\()|(\))|"((?:[^"\\]|\\["\\])*)"|([^\s()"]+))')
_ESCAPE: Final = re.compile(r'\\(["\\])')


@dataclass(frozen=True, kw_only=True)
class Filters:
    """Which messages of a folder are read.

    Attributes:
        since, before: days that the server received them on, by its clock; `before` itself is left out.
        search: IMAP search keys. Example: `UNSEEN FROM "correo.example"`.
    """

    since: date | None = None
    before: date | None = None
    search: str | None = None

    def criteria(self) -> list[Any]:
        """Give the criteria in the form of IMAPClient: words, dates, and lists for what stands in parentheses."""
        found: list[Any] = []
        if self.since is not None:
            found += ["SINCE", self.since]
        if self.before is not None:
            found += ["BEFORE", self.before]
        return found + (parse_search(self.search) if self.search else [])


def parse_day(option: str, value: str | None) -> date | None:
    """Read a day (2026-03-31) that an option gives.

    Raises:
        UsageError: it is none.
    """
    try:
        return None if value is None else date.fromisoformat(value)
    except ValueError:
        raise UsageError(f"{option} is {value!r}; expected a day such as 2026-03-31") from None


def parse_search(text: str) -> list[Any]:
    """Cut search keys into words and nested lists; words are UTF-8 bytes, so that they can be sent as literals.

    Example: `OR UNSEEN (FROM "a b")` -> [b"OR", b"UNSEEN", [b"FROM", b"a b"]].

    Raises:
        UsageError: a quote or a parenthesis has no partner.
    """
    stack: list[list[Any]] = [[]]
    place, text = 0, text.strip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise UsageError(f"--search {text!r}: a quotation mark has no partner at character {place + 1}")
        place = match.end()
        opening, closing, quoted, word = match.groups()
        if opening:
            stack.append([])
        elif closing:
            if len(stack) == 1 or not stack[-1]:
                raise UsageError(f"--search {text!r}: the parenthesis at character {place} closes nothing")
            inner = stack.pop()
            stack[-1].append(inner)
        else:
            stack[-1].append((_ESCAPE.sub(r"\1", quoted) if word is None else word).encode())
    if len(stack) > 1:
        raise UsageError(f"--search {text!r}: a parenthesis is not closed")
    return stack[0]


def is_ascii(criteria: list[Any]) -> bool:
    """Say whether criteria need no character set."""
    return all(is_ascii(item) if isinstance(item, list) else not isinstance(item, bytes) or item.isascii() for item in criteria)
