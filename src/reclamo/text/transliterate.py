"""Greeklish back into Greek letters, so that the tagger reads the words that it was taught.

Each word is looked up by its sound among the words of the Greek corpus, which gives its right spelling and accents; a word that is
not there is written letter by letter. Offsets of the Greek text can be mapped back to the text as it was typed.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

LEXICON: Final = Path(__file__).with_name("greek_words.txt")
WORD: Final = re.compile(r"[A-Za-z0-9'’]*[A-Za-z][A-Za-z0-9'’]*")
MOST_READINGS: Final = 64

# The sound of Greek spelling; what Greeklish cannot tell apart sounds the same here (x is χ or ξ, d is δ or ντ, g is γ or γκ).
GREEK_SOUNDS: Final = (
    ("ου", "u"), ("ει", "i"), ("οι", "i"), ("υι", "i"), ("αι", "e"), ("ευ", "ef"), ("αυ", "af"), ("μπ", "b"), ("ντ", "d"),
    ("γκ", "g"), ("γγ", "g"),
    ("α", "a"), ("β", "v"), ("γ", "g"), ("δ", "d"), ("ε", "e"), ("ζ", "z"), ("η", "i"), ("θ", "8"), ("ι", "i"), ("κ", "k"), ("λ", "l"),
    ("μ", "m"), ("ν", "n"), ("ξ", "x"), ("ο", "o"), ("π", "p"), ("ρ", "r"), ("σ", "s"), ("ς", "s"), ("τ", "t"), ("υ", "i"), ("φ", "f"),
    ("χ", "x"), ("ψ", "ps"), ("ω", "o"),
)  # fmt: skip
# What a Latin spelling may sound like, the likeliest first.
LATIN_SOUNDS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("ou", ("u",)), ("ei", ("i",)), ("oi", ("i",)), ("ai", ("e",)), ("eu", ("ef",)), ("ev", ("ef", "ev")), ("ef", ("ef",)), ("au", ("af",)),
    ("av", ("af", "av")), ("af", ("af",)), ("ay", ("af",)), ("ey", ("ef",)), ("oy", ("u",)), ("mp", ("b",)), ("nt", ("d",)), ("gk", ("g",)),
    ("gg", ("g",)), ("ng", ("g",)), ("th", ("8",)), ("ks", ("x",)), ("ch", ("x",)), ("ph", ("f",)), ("ps", ("ps",)),
    ("a", ("a",)), ("b", ("v", "b")), ("c", ("k", "s")), ("d", ("d",)), ("e", ("e",)), ("f", ("f",)), ("g", ("g",)),
    ("h", ("i", "x")),
    ("i", ("i",)), ("j", ("x", "z")), ("k", ("k",)), ("l", ("l",)), ("m", ("m",)), ("n", ("n",)), ("o", ("o",)), ("p", ("p",)),
    ("q", ("8", "k")),
    ("r", ("r",)), ("s", ("s",)), ("t", ("t",)), ("u", ("u", "i")), ("v", ("v",)), ("w", ("o",)), ("x", ("x",)), ("y", ("i",)),
    ("z", ("z",)),
    ("8", ("8",)), ("3", ("x",)), ("9", ("8",)), ("4", ("ps",)), ("0", ("8",)),
)  # fmt: skip
# Letter by letter, for words that are not in the lexicon.
LATIN_LETTERS: Final = {
    "th": "θ", "ks": "ξ", "ch": "χ", "ph": "φ", "ps": "ψ", "8": "θ", "3": "ξ", "9": "θ", "4": "ψ", "a": "α", "b": "μπ",
    "c": "κ", "d": "δ", "e": "ε",
    "f": "φ", "g": "γ", "h": "η", "i": "ι", "j": "ζ", "k": "κ", "l": "λ", "m": "μ", "n": "ν", "o": "ο", "p": "π", "q": "κ", "r": "ρ",
    "s": "σ", "t": "τ",
    "u": "υ", "v": "β", "w": "ω", "x": "χ", "y": "υ", "z": "ζ",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Transliterated:
    """A text in Greek letters, and where each stretch of it came from.

    Attributes:
        text: in Greek letters.
        stretches: (n, 4): start and end in `text`, start and end in the text as typed; in order, covering the words.
    """

    text: str
    stretches: NDArray[np.int64]

    def map_offsets(self, offsets: NDArray[np.int64]) -> NDArray[np.int64]:
        """Map (tokens, 2) offsets of `text` to the text as typed: a token inside a word becomes the whole word."""
        if not len(self.stretches):
            return offsets
        last = np.maximum(offsets[:, 1] - 1, 0)
        row = np.clip(np.searchsorted(self.stretches[:, 0], last, side="right") - 1, 0, None)
        mapped = self.stretches[row][:, 2:].copy()
        mapped[offsets[:, 1] <= offsets[:, 0]] = 0
        return mapped


def transliterate(text: str) -> Transliterated:
    """Write Greeklish in Greek letters. Example: «den exo lavei tipota» -> «δεν έχω λάβει τίποτα»."""
    parts: list[str] = []
    stretches: list[tuple[int, int, int, int]] = []
    length = 0

    def put(piece: str, start: int, end: int) -> None:
        nonlocal length
        if piece:
            parts.append(piece)
            stretches.append((length, length + len(piece), start, end))
            length += len(piece)

    at = 0
    for match in WORD.finditer(text):
        put(text[at : match.start()], at, match.start())
        put(greek_word(match[0]), match.start(), match.end())
        at = match.end()
    put(text[at:], at, len(text))
    return Transliterated(text="".join(parts), stretches=np.array(stretches, dtype=np.int64).reshape(-1, 4))


def greek_word(word: str) -> str:
    """Give the Greek spelling of one Latin word, with its capitals. Example: «Parakalw» -> «Παρακαλώ»."""
    small = word.lower()
    found = next((_lexicon()[sound] for sound in latin_sounds(small) if sound in _lexicon()), None) or _by_letters(small)
    if word.isupper() and len(word) > 1:
        return _without_accents(found).upper()
    return found[:1].upper() + found[1:] if word[:1].isupper() else found


def greek_sound(word: str) -> str:
    """The sound of a Greek word, double letters once. Example: «αλλά» -> "ala"."""
    return _squeezed(_replaced(_without_accents(word.lower()), dict(GREEK_SOUNDS)))


def latin_sounds(word: str) -> list[str]:
    """What a Latin spelling may sound like, the likeliest first. Example: «tha» -> ["8a"]."""
    choices: list[tuple[str, ...]] = []
    at = 0
    table = dict(LATIN_SOUNDS)
    while at < len(word):
        size = 2 if word[at : at + 2] in table else 1
        choices.append(table.get(word[at : at + size], (word[at : at + size],)))
        at += size
    readings = 1
    for k, options in enumerate(choices):
        readings *= len(options)
        if readings > MOST_READINGS:
            choices[k] = options[:1]
            readings //= len(options)
    return [_squeezed("".join(reading)) for reading in product(*choices)]


def _replaced(word: str, table: dict[str, str]) -> str:
    out: list[str] = []
    at = 0
    while at < len(word):
        size = 2 if word[at : at + 2] in table else 1
        out.append(table.get(word[at : at + size], word[at : at + size]))
        at += size
    return "".join(out)


def _by_letters(word: str) -> str:
    greek = _replaced(word, LATIN_LETTERS)
    return greek[:-1] + "ς" if greek.endswith("σ") else greek


def _squeezed(sound: str) -> str:
    return re.sub(r"(.)\1+", r"\1", sound)


def _without_accents(word: str) -> str:
    return unicodedata.normalize("NFC", "".join(ch for ch in unicodedata.normalize("NFD", word) if not unicodedata.combining(ch)))


@lru_cache(maxsize=1)
def _lexicon() -> dict[str, str]:
    """Words by sound; the file is sorted by how often they occur, so the first of a sound stays."""
    found: dict[str, str] = {}
    for word in LEXICON.read_text(encoding="utf-8").split():
        found.setdefault(greek_sound(word), word)
    return found
