"""Alter training texts on the fly, as people type: no accents, capitals, typos, Greeklish, cut ends."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable

from reclamo.text.greeklish import to_greeklish


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


def augment(text: str, share: float, rng: random.Random) -> str:
    """Alter a text with probability `share`, in one of the ways of `ALTERATIONS`."""
    if rng.random() >= share:
        return text
    ways, weights = zip(*ALTERATIONS, strict=True)
    (way,) = rng.choices(ways, weights=weights)
    return str(way(text, rng))
