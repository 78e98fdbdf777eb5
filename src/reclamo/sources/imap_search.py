"""Search keys of IMAP (RFC 3501, 6.4.4): dates, and the caller's own, as they go over the wire."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from reclamo.errors import UsageError

_TOKEN: Final = re.compile(r'\s+|[()]|"(?:[^"\\]|\\["\\])*"|[^\s()"]+')
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

    def parts(self) -> list[str | bytes]:
        """Give the criteria as they go over the wire after `UID 1:9`: text, and UTF-8 where a literal has to stand."""
        from imapclient.datetime_util import format_criteria_date

        days = {"SINCE": self.since, "BEFORE": self.before}
        found: list[str | bytes] = [f" {key} {format_criteria_date(day).decode()}" for key, day in days.items() if day is not None]
        return [*found, " ", *parse_search(self.search)] if self.search else found


def parse_day(option: str, value: str | None) -> date | None:
    """Read a day (2026-03-31) that an option gives.

    Raises:
        UsageError: it is none.
    """
    try:
        return None if value is None else date.fromisoformat(value)
    except ValueError:
        raise UsageError(f"{option} is {value!r}; expected a day such as 2026-03-31") from None


def parse_search(text: str) -> list[str | bytes]:
    """Leave search keys as they are, but for words beyond ASCII: those become bytes, to be sent as literals.

    Example: `OR UNSEEN (FROM "ana")` -> itself; `SUBJECT "año" SEEN` -> "SUBJECT ", b"a\\xc3\\xb1o", " SEEN".

    Raises:
        UsageError: a quote or a parenthesis has no partner, or there is a control character.
    """
    if any(ord(character) < 32 for character in text):
        raise UsageError(f"--search {text!r} holds a control character; write it in one line")
    parts: list[str | bytes] = []
    place, depth, text = 0, 0, text.strip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise UsageError(f"--search {text!r}: a quotation mark has no partner at character {place + 1}")
        place, token = match.end(), match[0]
        depth += {"(": 1, ")": -1}.get(token, 0)
        if depth < 0:
            break
        parts.append(token if token.isascii() else _ESCAPE.sub(r"\1", token[1:-1] if token[0] == '"' else token).encode())
    if depth:
        raise UsageError(f"--search {text!r}: a parenthesis has no partner")
    return parts
