"""Characters that something on the way has damaged."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Final

from reclamo.corpus.audit.finding import Finding, found
from reclamo.corpus.audit.subject import Subject
from reclamo.text import clean_text

_HIDDEN: Final = {"Cc", "Cf", "Cs", "Co", "Cn"}
_LAYOUT: Final = frozenset("\n\r\t")
# A lead byte and its continuation bytes of UTF-8, as windows-1252 and Latin-1, or windows-1253, show them.
_LEADS: Final = {"cp1252": "ÂÃÎÏâð", "cp1253": "ΞΟΒΓ"}
_SHOWN: Final = re.compile(r"[\u00a0-\u00ff\u0386-\u03ce\u2010-\u2122\U0001f000-\U0001faff]")
_LATIN_GREEK: Final = re.compile(r"[^\W\d_]{4,}")
_MARKUP: Final = re.compile(
    r"&(?:[a-zA-Z]{2,8}|#\d{2,6}|#x[0-9a-fA-F]{2,6});"  # entities
    r"|\\u[0-9a-fA-F]{4}"  # escapes
    r"|</?(?:br|p|div|span|b|i|a|td|tr)\b[^<>]{0,200}>"  # HTML
    r"|=[C-F][0-9A-F]=[89AB][0-9A-F]"  # quoted-printable
)


def check_encoding(subject: Subject) -> Iterator[Finding]:
    """Find texts out of normal form C, invisible characters, mojibake, and escapes or mark-up."""
    looks: tuple[tuple[str, str, Callable[[str], str | None]], ...] = (
        ("A201", "text not in NFC", _not_nfc),
        ("A202", "invisible characters", _invisible),
        ("A203", "letters decoded wrongly", find_mojibake),
        ("A204", "escapes or mark-up", _markup),
    )
    for code, what, look in looks:
        for example in subject.examples:
            seen = look(example.text)
            if seen:
                yield found(code, f"{what}: {seen}", (example.id,))


def _not_nfc(text: str) -> str | None:
    composed = unicodedata.normalize("NFC", text)
    if composed == text:
        return None
    at = next((k for k, (a, b) in enumerate(zip(text, composed, strict=False)) if a != b), len(composed))
    return f"{_code_points(text[at : at + 2])} at character {at}"


def _invisible(text: str) -> str | None:
    """Name the characters that nothing shows and that no emoji needs."""
    hidden = {ch for ch in text if unicodedata.category(ch) in _HIDDEN and ch not in _LAYOUT}
    if not hidden:
        return None
    kept = clean_text(text)
    dropped = sorted(ch for ch in hidden if kept.count(ch) < text.count(ch))
    return _code_points("".join(dropped)) or None


def _code_points(text: str) -> str:
    return " ".join(f"U+{ord(ch):04X}" for ch in text)


def _markup(text: str) -> str | None:
    match = _MARKUP.search(text)
    return None if match is None else match[0][:40]


def find_mojibake(text: str) -> str | None:
    """Give the first wrongly decoded stretch of a text. Examples: «informaciÃ³n» -> «Ã³», «Êáëçìåñá» -> «Êáëçìåñá».

    Seen are UTF-8 read as windows-1252 or Latin-1 (once is enough) or as windows-1253 (twice in a row, as Greek capitals with
    accents can look alike), Greek read as Latin-1, and replacement characters.
    """
    if text.isascii():
        return None
    if "\ufffd" in text:
        return "\ufffd"
    return _misread_utf8(text, "cp1252", 1) or _misread_utf8(text, "cp1253", 2) or _greek_as_latin(text)


def _misread_utf8(text: str, charset: str, least: int) -> str | None:
    at = in_a_row = 0
    start = 0
    while at < len(text):
        length = _sequence(text, at, charset) if text[at] in _LEADS[charset] else 0
        if length:
            start = at if not in_a_row else start
            in_a_row += 1
            at += length
            if in_a_row >= least:
                return text[start:at]
        else:
            in_a_row = 0
            at += 1
    return None


def _sequence(text: str, at: int, charset: str) -> int:
    """How many characters from `at` are the bytes of one UTF-8 character that texts of our languages hold; 0 if none."""
    for length in (2, 3, 4):
        raw = b"".join(_byte(ch, charset) for ch in text[at : at + length])
        if len(raw) != length:
            return 0
        try:
            decoded = raw.decode("utf-8")
        except UnicodeDecodeError:
            continue
        return length if _SHOWN.match(decoded) else 0
    return 0


def _byte(ch: str, charset: str) -> bytes:
    """The byte that a character was, where the charset leaves holes as Latin-1 does; nothing for a character of two bytes."""
    try:
        return ch.encode(charset)
    except UnicodeEncodeError:
        return bytes([ord(ch)]) if ord(ch) < 0x100 else b""


def _greek_as_latin(text: str) -> str | None:
    for match in _LATIN_GREEK.finditer(text):
        word = match[0]
        if sum("\u00c0" <= ch <= "\u00ff" for ch in word) >= 0.75 * len(word):
            return word
    return None
