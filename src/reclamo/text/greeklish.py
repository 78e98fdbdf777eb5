"""Greek written in Latin letters: write it, and tell it from the languages it resembles."""

from __future__ import annotations

import random
import unicodedata
from pathlib import Path
from typing import Final

# How people write each letter, the commonest first. Digraphs are read before single letters.
DIGRAPHS: Final[dict[str, tuple[str, ...]]] = {
    "ου": ("ou", "u"),
    "ει": ("ei", "i"),
    "οι": ("oi", "i"),
    "αι": ("ai", "e"),
    "ευ": ("eu", "ef", "ev"),
    "αυ": ("au", "af", "av"),
    "μπ": ("mp", "b"),
    "ντ": ("nt", "d"),
    "γκ": ("gk", "g"),
    "γγ": ("gg", "ng"),
    "τσ": ("ts",),
    "τζ": ("tz",),
}
LETTERS: Final[dict[str, tuple[str, ...]]] = {
    "α": ("a",), "β": ("v", "b"), "γ": ("g",), "δ": ("d",), "ε": ("e",), "ζ": ("z",), "η": ("i", "h"),
    "θ": ("th", "8"), "ι": ("i",), "κ": ("k",), "λ": ("l",), "μ": ("m",), "ν": ("n",), "ξ": ("ks", "x", "3"),
    "ο": ("o",), "π": ("p",), "ρ": ("r",), "σ": ("s",), "ς": ("s",), "τ": ("t",), "υ": ("y", "u"), "φ": ("f", "ph"),
    "χ": ("x", "h", "ch"), "ψ": ("ps",), "ω": ("o", "w"),
}  # fmt: skip


def to_greeklish(text: str, rng: random.Random) -> str:
    """Write Greek as one person would in Latin letters: each writer keeps to one habit for each letter.

    Example (one of the habits): «Δεν ήρθε» -> «Den irthe».
    """
    bare = "".join(ch for ch in unicodedata.normalize("NFD", text) if not unicodedata.combining(ch))
    habit = {greek: ways[0] if rng.random() < 0.6 else rng.choice(ways) for greek, ways in {**DIGRAPHS, **LETTERS}.items()}
    out: list[str] = []
    at = 0
    while at < len(bare):
        pair = bare[at : at + 2].lower()
        size = 2 if pair in habit else 1
        source = bare[at : at + size]
        latin = habit.get(source.lower(), source)
        out.append(latin.capitalize() if source[:1].isupper() and latin != source else latin)
        at += size
    return "".join(out)


# Words that Greek text is full of, in the spellings that people use.
COMMON_WORDS: Final = frozenset(Path(__file__).with_name("greeklish_words.txt").read_text(encoding="utf-8").split())
# Of these, what Spanish and Italian messages hold too, well spelt or not ("sto aspettando", "ho gia pagato", "que den", "ke pasa").
AMBIGUOUS: Final = frozenset({"sto", "sti", "gia", "den", "ine", "ke", "toy", "pali", "ohi", "8a"})
MIN_SHARE: Final = 0.1


def greeklish_share(text: str) -> float:
    """The share of a text's words that are common Greek words in Latin letters. Example: «den exw lavei tipota» -> 0.75."""
    words = _words(text)
    return sum(word in COMMON_WORDS for word in words) / len(words) if words else 0.0


def is_greeklish(text: str) -> bool:
    """Say whether a text in Latin letters is Greek: at least one word in ten is a common Greek one.

    One of them must be no word of Spanish or Italian, or two different ones stand there.
    Examples: «den exw lavei» is; «que me den algo» is not.
    """
    words = _words(text)
    known = [word for word in words if word in COMMON_WORDS]
    return bool(known) and len(known) >= MIN_SHARE * len(words) and (len({*known}) > 1 or known[0] not in AMBIGUOUS)


def _words(text: str) -> list[str]:
    words = [word.strip(".,;:!?…()\"'«»-") for word in text.lower().split()]
    return [word for word in words if word and not word.isdigit()]
