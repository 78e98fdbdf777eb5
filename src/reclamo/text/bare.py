"""A text without what people leave out when they type in haste."""

from __future__ import annotations

import unicodedata


class _Marks(dict[int, int | None]):
    """For `str.translate`: drops combining marks. What a character is, is looked up once."""

    def __missing__(self, code: int) -> int | None:
        kept = self[code] = None if unicodedata.combining(chr(code)) else code
        return kept


_MARKS = _Marks()


def bare(text: str) -> str:
    """Lower case, without accents, one sigma. Example: «ΚΑΘΥΣΤΈΡΗΣΗ, Δυστυχώς» -> «καθυστερηση, δυστυχωσ»."""
    parts = unicodedata.normalize("NFD", text.lower().replace("ς", "σ"))
    return unicodedata.normalize("NFC", parts.translate(_MARKS))
