"""The fields of a web form: name, address and telephone above the text that was typed in."""

from __future__ import annotations

import re
from typing import Final

from reclamo.mail import markers
from reclamo.mail.lines import Line, mark, next_filled
from reclamo.mail.signatures import is_closing, is_name, stretches

MAX_FIELDS: Final = 40  # lines in which fields are looked for
MAX_VALUE_WORDS: Final = 12
PHONE_DIGITS: Final = 6
TEXT_WORDS: Final = 6  # longer words that are no name, even in capitals
_LETTER = re.compile(r"[^\W\d_]")


def mark_form(lines: list[Line]) -> None:
    """Mark the fields that say who wrote, where they stand above everything else and somebody's text follows.

    What else the form tells (a subject, an order) stays. One field alone, or fields below a sentence, are the writer's own words; so
    are all of them where nothing else was written.
    """
    for stretch in stretches(lines):
        _mark_fields(stretch)


def _mark_fields(stretch: list[Line]) -> None:
    index = next_filled(stretch, 0)
    if index < len(stretch) and markers.FORM_HEAD.search(stretch[index].key) and _field(stretch[index].key) is None:
        index = next_filled(stretch, index + 1)
    fields: list[int] = []
    kinds: set[str] = set()
    last = min(len(stretch), index + MAX_FIELDS)
    while index < last:
        key = stretch[index].key
        found = _field(key)
        if found is None:
            if markers.MESSAGE_LABEL.match(key) or not _is_other_field(key):
                break
        else:
            kind, value = found
            below = next_filled(stretch, index + 1)
            is_below = not value and below < last and _is_typed(kind, stretch[below].key)
            if is_below:
                value = stretch[below].key
            if value and not _is_value(kind, value):
                break
            if value:
                kinds.add(kind)
            fields += [index, below] if is_below else [index]
            index = below if is_below else index
        index = next_filled(stretch, index + 1)
    if len(kinds & {"name", "email", "phone"}) >= 2 and any(_is_text(line.key) for line in stretch[index:] if line.kind is None):
        for number in fields:
            mark(stretch, number, number + 1, "contact")


def _field(key: str) -> tuple[str, str] | None:
    """Give what a field names and its value. Example: "Tu nombre: Ana" -> ("name", "Ana")."""
    match = markers.FIELD.match(key)
    return (str(match.lastgroup), key[match.end() :].strip()) if match else None


def _is_other_field(key: str) -> bool:
    """Say whether a line is a field with something else in it, such as an order."""
    match = markers.LABEL.match(key)
    return match is not None and len(match[2].split()) <= MAX_VALUE_WORDS


def _is_typed(kind: str, key: str) -> bool:
    """Say whether a line below a bare label is its value, and neither the next label nor the text."""
    is_fit = key[:1] in "+(0123456789" if kind == "phone" else kind == "email" or is_name(key)
    return is_fit and not key.endswith(":") and _field(key) is None and _is_value(kind, key)


def _is_value(kind: str, value: str) -> bool:
    words = len(value.split())
    if kind == "email":
        return "@" in value and words <= 3
    if kind == "phone":
        return sum(map(str.isdigit, value)) >= PHONE_DIGITS and words <= MAX_VALUE_WORDS and len(_LETTER.findall(value)) <= 20
    return words <= (MAX_VALUE_WORDS if kind == "place" else 6) and not value.endswith(("!", "?", ";", "…", ":"))


def _is_text(key: str) -> bool:
    """Say whether a line is more than a name, an address, a closing or a bare label: a longer word in small letters, or a full stop."""
    if key.endswith(":") or is_closing(key):
        return False
    words = [word for word in key.split() if len(word) > 3 and "@" not in word and "/" not in word]
    ends = " " in key and key.endswith((".", "!", "?", "…"))
    return ends or len(words) >= TEXT_WORDS or any(word[0].islower() for word in words)
