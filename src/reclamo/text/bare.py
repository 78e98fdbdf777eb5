"""A text without what people leave out when they type in haste."""

from __future__ import annotations

import unicodedata


def bare(text: str) -> str:
    """Lower case, without accents, one sigma. Example: «ΚΑΘΥΣΤΈΡΗΣΗ, Δυστυχώς» -> «καθυστερηση, δυστυχωσ»."""
    parts = unicodedata.normalize("NFD", text.lower().replace("ς", "σ"))
    return unicodedata.normalize("NFC", "".join(ch for ch in parts if not unicodedata.combining(ch)))
