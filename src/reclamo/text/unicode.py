"""Characters: one normal form, nothing invisible, sensible lines."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

MAX_MARKS: Final = 8  # combining marks on one letter; no living spelling needs more than four

_NEWLINES = re.compile("\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_EMOJI = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u25a0-\u27bf\u2934\u2935\u2b00-\u2bff"
    "\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
)
# Nothing is seen of these: controls, soft hyphen, joiners, bidi marks, fillers, variation selectors, tags, noncharacters.
_INVISIBLE = (
    "\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
# Blanks of other widths, and what stands for a picture or a private glyph (icon fonts, Word bullets).
_BLANK = "\t\x1f\u00a0\u1680\u2000-\u200a\u202f\u205f\u2800\u3000\ue000-\uf8ff\ufffc\U000f0000-\U0010ffff"
_UNIT = f"[{_EMOJI}]\ufe0f?[\U0001f3fb-\U0001f3ff]?\u20e3?"
_SEQUENCE = f"(?:\U0001f3f4[\U000e0020-\U000e007e]{{1,8}}\U000e007f|[0-9#*]\ufe0f\u20e3|{_UNIT}(?:\u200d{_UNIT})*+)"  # UTS 51
_SPECIAL = re.compile(f"({_SEQUENCE})|[{_INVISIBLE}]+|([{_BLANK}])|([\ud800-\udfff])")
_TOUCHED = re.compile(f"[{_INVISIBLE}{_BLANK}\ud800-\udfff]")  # without any of these nothing is to be replaced
_SPACES = re.compile(" {2,}")
_LINE_EDGES = re.compile(" ?\n ?")
_BLANK_LINES = re.compile("\n{3,}")


@lru_cache(maxsize=1)
def _mark_runs() -> re.Pattern[str]:
    marks = "".join(chr(code) for code in range(0x300, 0x20000) if unicodedata.combining(chr(code)))
    return re.compile(f"([{marks}]{{{MAX_MARKS}}})[{marks}]+")


def _replacement(match: re.Match[str]) -> str:
    if match[1] is not None:
        return match[1]
    if match[2] is not None:
        return " "
    return "" if match[3] is None else "\ufffd"


def _normal_form(text: str) -> str:
    """Give NFC with at most MAX_MARKS marks in a row; capped before as well, since sorting a long run is quadratic."""
    runs = _mark_runs()
    if unicodedata.is_normalized("NFC", text) and not runs.search(text):
        return text
    return runs.sub(r"\1", unicodedata.normalize("NFC", runs.sub(r"\1", text)))


def clean_text(text: str) -> str:
    """Give `text` as a reader sees it: NFC, LF, no invisible characters, single spaces, at most one blank line in a row.

    Line structure stays; so do emoji with their joiners, skin tones and flags (UTS 51). Idempotent.
    Example: clean_text("Hola\\u00a0\\u200bAna\\r\\n\\r\\n\\r\\n\\r\\nadiós ") -> "Hola Ana\\n\\nadiós".
    """
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip(" ")
    text = _NEWLINES.sub("\n", text)
    if _TOUCHED.search(text):
        text = _SPECIAL.sub(_replacement, text)
    if not text.isascii():
        text = _normal_form(text)
    if "  " in text:
        text = _SPACES.sub(" ", text)
    if "\n" in text:
        text = _BLANK_LINES.sub("\n\n", _LINE_EDGES.sub("\n", text))
    return text.strip("\n ")
