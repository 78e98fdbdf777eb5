"""The marks of public posts: handles and links, which say to whom and whence, and nothing about what is said."""

from __future__ import annotations

import re
from typing import Final

HANDLE: Final = re.compile(r"(?<![\w.])\.?@\w+:?")
"""A name after an at sign, `@user` too, as public data sets mask it; not the second half of an address."""
LINK: Final = re.compile(r"\bhttps?://\S+|\bwww\.\S+|\bhttps?\b(?!\w)")
"""A link, or the bare word that it is masked by."""


def blank_marks(text: str) -> str:
    """Put blanks in place of handles, links and hash signs, so that all else keeps its place.

    Example: «@AeroLux gracias #nunca http» -> «         gracias  nunca     »
    """
    if "@" in text:
        text = HANDLE.sub(_blanks, text)
    if "http" in text or "www." in text:
        text = LINK.sub(_blanks, text)
    return text.replace("#", " ")


def _blanks(found: re.Match[str]) -> str:
    return " " * len(found.group())
