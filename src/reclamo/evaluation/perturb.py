"""Changes that leave the meaning of a message alone: what people and devices do to text."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable, Mapping
from typing import Final

# Letters that look the same in another alphabet, as pasted text and some keyboards give them.
GREEK_TO_LATIN: Final = str.maketrans("οαΑΒΕΖΗΙΚΜΝΟΡΤΥΧν", "oaABEZHIKMNOPTYXv")
LATIN_TO_CYRILLIC: Final = str.maketrans("aeopcxyAEOPCXBHKMT", "аеорсхуАЕОРСХВНКМТ")
Change = Callable[[str, str, random.Random], str]


def typos(text: str, language: str, rng: random.Random) -> str:
    """Swap, drop or double one letter in about every sixth word of four letters and more, and in at least one."""
    words = text.split(" ")
    long = [index for index, word in enumerate(words) if sum(ch.isalpha() for ch in word) >= 4 and word.isalpha()]
    for index in rng.sample(long, max(1, len(long) // 6)) if long else []:
        words[index] = _typo(words[index], rng)
    return " ".join(words)


def _typo(word: str, rng: random.Random) -> str:
    at = rng.randrange(1, len(word) - 1)
    kind = rng.choice(("swap", "drop", "double"))
    if kind == "swap":
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return word[:at] + word[at + 1 :] if kind == "drop" else word[: at + 1] + word[at:]


def no_accents(text: str, language: str, rng: random.Random) -> str:
    """Leave accents out, as on a phone; ñ is a letter and stays. Example: «¿Qué pasó, señora?» -> «¿Que paso, señora?»."""
    kept = []
    for ch in unicodedata.normalize("NFC", text):
        plain = "".join(part for part in unicodedata.normalize("NFD", ch) if not unicodedata.combining(part))
        kept.append(ch if ch in "ñÑ" else plain)
    return "".join(kept)


def capitals(text: str, language: str, rng: random.Random) -> str:
    """Write everything in capitals; Greek drops the tonos in them."""
    return (no_accents(text, language, rng) if language == "el" else text).upper()


def look_alikes(text: str, language: str, rng: random.Random) -> str:
    """Put letters of another alphabet that look the same into every fourth word."""
    table = GREEK_TO_LATIN if language == "el" else LATIN_TO_CYRILLIC
    words = text.split(" ")
    return " ".join(word.translate(table) if index % 4 == 1 else word for index, word in enumerate(words))


def zero_width(text: str, language: str, rng: random.Random) -> str:
    """Put invisible characters into every third word."""
    words = text.split(" ")
    return " ".join(word[:2] + "\u200b" + word[2:] if index % 3 == 0 else word for index, word in enumerate(words))


CHANGES: Final[Mapping[str, Change]] = {
    "typos": typos,
    "no accents": no_accents,
    "capitals": capitals,
    "look-alike letters": look_alikes,
    "zero-width characters": zero_width,
}
