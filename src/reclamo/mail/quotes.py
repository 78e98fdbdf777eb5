"""Quoted history: where it begins, and what of it is the writer's own."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from reclamo.mail import markers
from reclamo.mail.limits import Deadline
from reclamo.mail.lines import Line, mark, next_filled
from reclamo.mail.signatures import mark_signatures

MAX_INTRODUCTION: Final = 4  # lines that a mail program wraps "On … wrote:" into
MAX_HEADER_BLOCK: Final = 40  # lines; a long list of recipients is wrapped
FORWARD_NOTE_WORDS: Final = 15
ALMOST_NOTHING_WORDS: Final = 6


def mark_history(lines: list[Line], *, forwarded: bool, deadline: Deadline) -> None:
    """Mark the lines that the writer did not write himself.

    Lines with ">" go, wherever they are, with the line that introduces them; what stands between them is an inline reply
    and stays. An introduction or header block without ">" takes all that follows, except where nothing stands before it:
    then the text below is all there is (a forwarded mail, a web form) and only the header goes.
    """
    index = since = 0
    while (index := next_filled(lines, index)) < len(lines):
        deadline.check()
        if lines[index].is_quoted:
            index = _take_quote(lines, index)
            continue
        end, is_forward = _find_header(lines, index)
        if end > index:
            below = next_filled(lines, end)
            is_form = below < len(lines) and bool(markers.MESSAGE_LABEL.match(lines[below].key))
            if not is_form and _writer_said_enough(lines[since:index], forwarded or is_forward):
                mark(lines, index, len(lines), "quoted")
                return
            mark(lines, index, end, "forwarded_header")
            index = since = end
            continue
        end = _find_introduction(lines, index)
        if end > index:
            mark(lines, index, end, "introduction")
            below = next_filled(lines, end)
            if below == len(lines) or not lines[below].is_quoted:
                if _own_words(lines[since:index]):
                    mark(lines, end, len(lines), "quoted")
                    return
                since = end
            index = end
            continue
        index += 1


def _take_quote(lines: list[Line], index: int) -> int:
    """Mark a run of quoted lines and what introduces it in a language that is not in the tables; give its end."""
    above = index - 1
    while above >= 0 and not lines[above].key:
        above -= 1
    if above >= 0 and lines[above].kind is None and _looks_like_introduction(lines[above].key):
        mark(lines, above, above + 1, "introduction")
    end = index
    while end < len(lines) and lines[end].is_quoted:
        lines[end].kind = "quoted"
        end += 1
    return end


def _looks_like_introduction(key: str) -> bool:
    return key.endswith(":") and len(key) < 200 and ("@" in key or bool(markers.CLOCK.search(key)))


def _find_introduction(lines: list[Line], index: int) -> int:
    """Give the end of an "On … wrote:" that starts at `index`, or `index`."""
    first = lines[index].key
    is_start = bool(markers.INTRODUCTION_START.match(first))
    if markers.QUOTING_NAMED.match(first) or (is_start and markers.WROTE_AND_MORE.match(first)):
        return index + 1
    joined = ""
    for end in range(index, min(index + MAX_INTRODUCTION, len(lines))):
        key = lines[end].key
        if not key or lines[end].is_quoted:
            return index
        joined = f"{joined} {key}".strip()
        if key.endswith(":") and markers.WROTE.search(joined[-200:]):
            return end + 1 if _is_introduction(lines, joined, end) else index
        if not is_start:
            return index
    return index


def _is_introduction(lines: list[Line], joined: str, end: int) -> bool:
    below = next_filled(lines, end + 1)
    is_quote_below = below < len(lines) and lines[below].is_quoted
    if not is_quote_below and not markers.INTRODUCTION_START.match(joined) and "@" not in joined:
        return False
    return is_quote_below or "@" in joined or bool(markers.CLOCK.search(joined))


def _find_header(lines: list[Line], index: int) -> tuple[int, bool]:
    """Give the end of a separator or header block at `index` (else `index`), and whether it says "forwarded"."""
    key = lines[index].key
    for pattern, is_forward in _SEPARATORS:
        if pattern.match(key):
            return _header_block(lines, next_filled(lines, index + 1), trusted=True) or index + 1, is_forward
    if markers.REPLY_ABOVE.match(key):
        return index + 1, False
    if markers.RULE_LINE.match(key):
        return _header_block(lines, next_filled(lines, index + 1), trusted=True) or index, False
    if index and _label(lines[index - 1].key)[0]:  # the block would have been found from the line above
        return index, False
    return _header_block(lines, index, trusted=False) or index, False


_SEPARATORS: Final = ((markers.FORWARDED_LINE, True), (markers.ORIGINAL_LINE, False))


def _label(key: str) -> tuple[str, str]:
    match = markers.LABEL.match(key) if ":" in key[:24] else None
    return ("", "") if match is None else (markers.LABELS.get(match[1].lower(), ""), match[2])


def _header_block(lines: list[Line], index: int, *, trusted: bool) -> int:
    """Give the end of a block of From, Sent, To, Subject lines at `index`, or 0 where there is none.

    Two labels do after a separator; else a sender, a subject or an address, and three labels: a traveller's
    "From: … To: … Date: …" is no header.
    """
    roles: set[str] = set()
    end = address = stray = 0
    last = min(len(lines), index + MAX_HEADER_BLOCK)
    while index < last and stray <= 2:
        role, value = _label(lines[index].key)
        if role:
            roles.add(role)
            address |= "@" in value
            end, stray = index + 1, 0
        elif not roles or lines[index].is_quoted:
            break
        else:
            stray += 1
            address |= role == "" and "@" in lines[index].key and stray == 1
        index += 1
    if "from" not in roles:
        return 0
    return end if (len(roles) >= 3 and ("subject" in roles or address)) or (trusted and len(roles) >= 2) else 0


def _own_words(above: list[Line]) -> int:
    """Count the writer's words in the lines above, without signatures."""
    own = [replace(line) for line in above]
    mark_signatures(own)
    return sum(line.words for line in own if line.kind is None)


def _writer_said_enough(above: list[Line], is_forward: bool) -> bool:
    words = _own_words(above)
    if not is_forward:
        return words > 0
    note = any(markers.FORWARD_NOTE.search(line.key) for line in above if line.kind is None)
    return words > (FORWARD_NOTE_WORDS if note else ALMOST_NOTHING_WORDS)
