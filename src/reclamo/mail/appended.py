"""Plain text that a mailing list or a gateway put behind a body in base64, without encoding it."""

from __future__ import annotations

import re
from typing import Final

MAX_LINES: Final = 400_000  # of base64; more are no message that is read, by its other limits
LONG: Final = 40  # letters of a line that cannot be a word

_FOREIGN = re.compile(rb"[^A-Za-z0-9+/=\s]|\S[ \t]+\S")
_LINE = re.compile(rb"[A-Za-z0-9+/][A-Za-z0-9+/=]*+(?=[ \t]*+(?:[\r\n]|\Z))")
_BLANK = re.compile(rb"[ \t]*+(?:\r?\n|\r|\Z)")
_PADDED = re.compile(rb"[A-Za-z0-9+/]++={1,2}")
_WORD = re.compile(rb"[A-Za-z\x80-\xff]{2}")
_PHRASE = re.compile(rb"(?:\S{1,60}+[ \t]++){2,3}+\S")
_RULE = re.compile(rb"[-_=*~#]{2,}+[ \t]*+[\r\n]")


def split_appended(data: bytes) -> tuple[bytes, bytes]:
    """Part a body into its base64 and the text behind it, which is empty where nothing stands there or what stands there is no text.

    The base64 ends with padding, a line shorter than the first, or a blank line, and what follows is no line of base64; or a rule
    (`____`) or some words end it. Where a long line of base64 comes later, what stands between is damage and no text.

    Example: b"SG9sYQ==\\n-- \\nlista de correo\\n" -> (b"SG9sYQ==\\n", b"-- \\nlista de correo\\n").
    """
    if not _FOREIGN.search(data):
        return data, b""
    end, ended = _end_of_base64(data)
    behind = data[end:]
    is_whole = end > 0 and len(re.sub(rb"\s", b"", data[:end])) % 4 == 0
    return (
        (data[:end], behind) if is_whole and (ended or _RULE.match(behind) or _PHRASE.match(behind)) and _has_words(behind) else (data, b"")
    )


def _end_of_base64(data: bytes) -> tuple[int, bool]:
    """Give where the base64 stops, and whether that is by its own form."""
    position = end = width = 0
    ended = False
    for _ in range(MAX_LINES):
        if blank := _BLANK.match(data, position):
            ended = ended or end > 0
            if blank.end() == position or blank.end() == len(data):
                break
            position = blank.end()
            continue
        line = _LINE.match(data, position)
        if line is None:
            if not ended and (padded := _PADDED.match(data, position)) and len(padded[0]) % 4 == 0:  # text on the same line
                return padded.end(), True
            break
        length, is_padded = line.end() - line.start(), data[line.end() - 1 : line.end()] == b"="
        if ended and length < LONG and not is_padded:
            break
        width = width or length
        ended = is_padded or length < width
        position = line.end()
        rest = _BLANK.match(data, position)
        position = end = rest.end() if rest else position
    return end, ended


def _has_words(behind: bytes) -> bool:
    """Say whether a line has words and is no base64, or is below a rule, and none is a long one of base64."""
    has_words, is_below = False, _RULE.match(behind.lstrip()) is not None
    for text in behind.splitlines():
        line = text.strip()
        is_base64 = _LINE.fullmatch(line) is not None
        if is_base64 and len(line) >= LONG:
            return False
        has_words = has_words or ((is_below or not is_base64) and _WORD.search(line) is not None)
    return has_words
