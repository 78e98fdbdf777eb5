"""Signatures, disclaimers, "sent from my phone", survey footers, banners and pictures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from reclamo.mail import markers
from reclamo.mail.lines import HISTORY, Kind, Line, mark

MAX_SIGNATURE_LINES: Final = 12
MAX_SIGNATURE_LINE: Final = 90
SENTENCE_WORDS: Final = 8


def mark_signatures(lines: list[Line]) -> None:
    """Mark what a program or a habit added to the writer's own text, in every stretch between quotations.

    A closing takes the names below it along only where they look like names and addresses; when nothing else was written
    the closing is the message, and stays.
    """
    _mark_single_lines(lines)
    found = [stretch for stretch in stretches(lines) if any(line.key for line in stretch)]
    for number, stretch in enumerate(found):
        if not number:
            _mark_banner(stretch)
        _mark_ruled_signature(stretch)
        _mark_tail(stretch)
        _mark_closing(stretch, may_empty=number > 0)


def stretches(lines: list[Line]) -> Iterator[list[Line]]:
    """Give the runs of lines that are not history."""
    stretch: list[Line] = []
    for line in lines:
        if line.kind in HISTORY:
            if stretch:
                yield stretch
            stretch = []
        else:
            stretch.append(line)
    if stretch:
        yield stretch


def _mark_single_lines(lines: list[Line]) -> None:
    for line in lines:
        if line.kind is not None or not line.key:
            continue
        if line.key[0] in "[<(" and markers.PICTURE.match(line.key):
            line.kind = "picture"
        elif len(line.key) < 140 and markers.DEVICE.match(line.key):
            line.kind = "device"


def _filled(stretch: list[Line]) -> list[Line]:
    return [line for line in stretch if line.kind is None and line.key]


def _paragraphs(stretch: list[Line]) -> list[list[Line]]:
    """Give the unmarked paragraphs of a stretch."""
    paragraphs: list[list[Line]] = [[]]
    for line in stretch:
        if line.key and line.kind is None:
            paragraphs[-1].append(line)
        elif paragraphs[-1]:
            paragraphs.append([])
    return [paragraph for paragraph in paragraphs if paragraph]


def _mark_banner(stretch: list[Line]) -> None:
    for paragraph in _paragraphs(stretch)[:2]:
        if markers.BANNER.match(paragraph[0].key):
            one_line = len(paragraph) > 1 and len(paragraph[0].key) > 90
            mark(paragraph, 0, 1 if one_line else len(paragraph), "banner")


def _mark_ruled_signature(stretch: list[Line]) -> None:
    """Mark all below a "-- " line (RFC 3676, 4.3); below a bare "--" only what is short enough for a signature."""
    filled = [number for number, line in enumerate(stretch) if line.kind is None and line.key]
    for position, number in enumerate(filled):
        line = stretch[number]
        if not markers.SIGNATURE_RULE.match(line.key):
            continue
        below = filled[position + 1 : position + 2 + MAX_SIGNATURE_LINES]
        is_bare = line.raw.rstrip("\r") != "-- "
        if (position == 0 or is_bare) and any(_is_sentence(stretch[other].key) for other in below):
            line.kind = "signature"
        elif line.raw.rstrip("\r") == "-- " or len(below) <= MAX_SIGNATURE_LINES:
            mark(stretch, number, len(stretch), "signature")
            return


def _mark_tail(stretch: list[Line]) -> None:
    """Mark the disclaimers and footers at the end, from the last paragraph up, as long as each one is one."""
    paragraphs = _paragraphs(stretch)
    for number in range(len(paragraphs) - 1, -1, -1):
        if (found := _tail_of(paragraphs[number], is_first=number == 0)) is None:
            if not _is_contact(paragraphs[number]) or number == len(paragraphs) - 1:
                return
            continue
        start, kind = found
        mark(paragraphs[number], start, len(paragraphs[number]), kind)
        if start:
            return


def _tail_of(paragraph: list[Line], *, is_first: bool) -> tuple[int, Kind] | None:
    """Give from which line on a paragraph is a disclaimer or footer."""
    whole = " ".join(line.key for line in paragraph[:40])
    for index, line in enumerate(paragraph):
        if is_first and index == 0:
            continue
        if markers.FOOTER.match(line.key):
            return _with_rule(paragraph, index, is_first=is_first), "footer"
        if markers.DISCLAIMER_HEADS.match(line.key):
            return index, "disclaimer"
        if markers.DISCLAIMER_STARTS.match(line.key) and markers.DISCLAIMER_WORDS.search(whole[-4000:]):
            return None if markers.DISCLAIMER_NEVER.search(whole[-4000:]) else (index, "disclaimer")
    return None


def _with_rule(paragraph: list[Line], index: int, *, is_first: bool) -> int:
    """Take the rule above a footer along."""
    while index > is_first and not paragraph[index - 1].words:
        index -= 1
    return index


def _is_contact(paragraph: list[Line]) -> bool:
    return all(not _is_sentence(line.key) for line in paragraph)


def _is_sentence(key: str) -> bool:
    """Say whether a line is prose rather than a name, a title or an address."""
    words = len(key.split())
    if words < 14 and (markers.CONTACT.search(key) or markers.FIRM.search(key)):
        return False
    return words >= SENTENCE_WORDS or len(key) > MAX_SIGNATURE_LINE or (words >= 4 and key.endswith((".", "?", "!", ";", "…")))


def _mark_closing(stretch: list[Line], *, may_empty: bool) -> None:
    """Mark the last closing and the names below it; a postscript under them stays."""
    filled = _filled(stretch)
    tail = max(0, len(filled) - 2 * MAX_SIGNATURE_LINES)
    postscript = next((i for i in range(tail, len(filled)) if markers.POSTSCRIPT.match(filled[i].key)), len(filled))
    for start, end in ((0, postscript), (postscript + 1, len(filled))):
        position = _find_closing(filled, start, end)
        if position == 0 and not all(is_name(line.key) for line in filled[1:end]):
            continue  # a greeting, or thanks meant otherwise, above a text in short lines
        if position >= 0:
            closing, first = _closing(filled[position].key), position
            while first and closing == "valediction" and _closing(filled[first - 1].key) == "valediction":
                first -= 1
            is_all = first == 0 and end == len(filled) and not may_empty
            mark(filled, position + 1 if is_all or closing == "thanks" else first, end, "signature")


def is_name(key: str) -> bool:
    """Say whether a line is a name, a title, a number or an address: its longer words begin with a capital, or with none at all."""
    if markers.CONTACT.search(key) or markers.FIRM.search(key):
        return True
    words = [word for word in key.split() if len(word) > 3]
    return all(not word[0].islower() for word in words) and len(key.split()) <= 5


def _find_closing(filled: list[Line], start: int, end: int) -> int:
    """Give the last closing from `start` up to `end` with nothing but names and addresses below it, or -1."""
    for position in range(end - 1, max(start - 1, end - 2 - MAX_SIGNATURE_LINES), -1):
        if _closing(filled[position].key) is not None:
            return position
        if _is_sentence(filled[position].key):
            break
    return -1


def is_closing(key: str) -> bool:
    """Say whether a line is a valediction or thanks, alone or with a name behind it."""
    return _closing(key) is not None


def _closing(key: str) -> str | None:
    """Say whether a line is a closing, alone or with a name behind it: "valediction", "thanks" or None."""
    match = markers.CLOSING.match(key)
    if match is None:
        return None
    rest = (match["rest"] or "").strip(" ,.!;:-")
    if (rest and not all(word[:1].isupper() or len(word) < 4 for word in rest.split()[:5])) or len(rest.split()) > 5:
        return None
    if match["thanks"]:
        return "thanks"
    return "valediction"
