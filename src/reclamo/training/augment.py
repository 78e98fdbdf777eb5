"""Alter training texts on the fly, as people type: no accents, capitals, typos, Greeklish, and the marks of public posts."""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Callable
from typing import Final

from reclamo.text.greeklish import to_greeklish
from reclamo.text.marks import HANDLE, LINK

MARKED_LENGTH: Final = 300  # characters; a longer text is no public post
_WORD: Final = re.compile(r"(?<![\w@#/.'’])[^\W\d_]{4,}")
_HANDLES: Final = re.compile(rf"(?:{HANDLE.pattern}\s+){{2,}}")


def strip_accents(text: str, rng: random.Random) -> str:
    """Drop the accents of vowels, keep ñ. Example: «qué pasó, niño» -> «que paso, niño»."""
    kept = "".join(ch for ch in unicodedata.normalize("NFD", text.replace("ñ", "\0").replace("Ñ", "\1")) if not unicodedata.combining(ch))
    return kept.replace("\0", "ñ").replace("\1", "Ñ")


def capitals(text: str, rng: random.Random) -> str:
    """Write all in capitals, without accents, as angry people do."""
    return strip_accents(text, rng).upper()


def lower(text: str, rng: random.Random) -> str:
    """Write all in small letters."""
    return text.lower()


def typos(text: str, rng: random.Random) -> str:
    """Swap, drop or double about one letter in forty."""
    letters = list(text)
    for _ in range(max(1, len(letters) // 40)):
        at = rng.randrange(len(letters)) if letters else 0
        if at + 1 >= len(letters) or not (letters[at].isalpha() and letters[at + 1].isalpha()):
            continue
        kind = rng.randrange(3)
        if kind == 0:
            letters[at], letters[at + 1] = letters[at + 1], letters[at]
        elif kind == 1:
            del letters[at]
        else:
            letters.insert(at, letters[at])
    return "".join(letters)


def greeklish(text: str, rng: random.Random) -> str:
    """Write Greek in Latin letters; another language is left alone."""
    return to_greeklish(text, rng) if sum("\u0370" <= ch <= "\u03ff" for ch in text) > len(text) // 3 else lower(text, rng)


ALTERATIONS: tuple[tuple[Callable[[str, random.Random], str], float], ...] = (
    (strip_accents, 0.3),
    (typos, 0.25),
    (lower, 0.2),
    (capitals, 0.1),
    (greeklish, 0.15),
)


def give_marks(text: str, rng: random.Random) -> str:
    """Dress a text as a public post: handles before it, a link after it, a word as hashtag, passed on by another."""
    if rng.random() < 0.3:
        words = list(_WORD.finditer(text))
        for word in sorted(rng.sample(words, min(len(words), rng.choice((1, 1, 2)))), key=lambda word: -word.start()):
            text = f"{text[: word.start()]}#{text[word.start() :]}"
    if rng.random() < 0.1:
        text = f"{text} via {_handle(rng)}"
    if rng.random() < 0.5:
        text = " ".join([text, *[_link(rng)] * rng.choice((1, 1, 1, 2))])
    if rng.random() < 0.1:
        return f"RT {_handle(rng)}: {text}"
    return " ".join([*(_handle(rng) for _ in range(rng.choice((0, 1, 1, 2, 3, 5)))), text])


def take_marks(text: str, rng: random.Random) -> str:
    """Undress a public post: no links, no hashtags, one handle or none where there are many; what is nothing else stays as it is."""
    bare = LINK.sub("", text).replace("#", "")
    bare = _HANDLES.sub(lambda found: f"{found.group().split()[0]} ", bare) if rng.random() < 0.5 else HANDLE.sub("", bare)
    bare = re.sub(r"[ \t]{2,}", " ", bare).strip()
    return bare if re.search(r"[^\W\d_]{2}", HANDLE.sub("", bare)) else text


def change_marks(text: str, rng: random.Random) -> str:
    """Give or take the marks of a public post, so that they say nothing about what it says."""
    marked = HANDLE.search(text) or LINK.search(text) or "#" in text
    return take_marks(text, rng) if marked and rng.random() < 0.5 else give_marks(text, rng)


def _handle(rng: random.Random) -> str:
    """As public data sets mask them, or an invented one."""
    if rng.random() < 0.6:
        return "@user"
    name = "".join(rng.choice("bcdfglmnprstv") + rng.choice("aeiou") for _ in range(rng.randint(2, 4)))
    return f"@{rng.choice((name, name.capitalize(), name + str(rng.randint(1, 99))))}"


def _link(rng: random.Random) -> str:
    if rng.random() < 0.6:
        return "http"
    return "https://t.co/" + "".join(rng.choices("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ0123456789", k=10))


def augment(text: str, share: float, rng: random.Random, marks: float = 0.0) -> str:
    """Alter a text with probability `share`, in one of the ways of `ALTERATIONS`; before that its marks, with probability `marks`."""
    if marks and len(text) <= MARKED_LENGTH and rng.random() < marks:
        text = change_marks(text, rng)
    if rng.random() >= share:
        return text
    ways, weights = zip(*ALTERATIONS, strict=True)
    (way,) = rng.choices(ways, weights=weights)
    return str(way(text, rng))
