"""Character and word n-grams of a text as hashed keys, found without a loop over characters."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

CHARACTERS: Final = range(2, 6)  # lengths of character n-grams, word edges counted as a blank
WORDS: Final = range(1, 3)
FAMILIES: Final = 2  # the lowest bit of a key: 0 characters, 1 words

Keys = NDArray[np.uint32]
Bounds = NDArray[np.int64]
_Codes = NDArray[np.uint64]
_Hash = Callable[[Bounds, Bounds], _Codes]

_TABLE: Final = 0x2000  # covers every Latin, Greek (polytonic too) and Cyrillic letter; what lies beyond counts as a sign
_BASE: Final = 0x9E3779B97F4A7C15
_INVERSE: Final = pow(_BASE, -1, 1 << 64)
_BLANK: Final = np.uint64(32)


@dataclass(frozen=True, kw_only=True)
class NGrams:
    """Every n-gram of a text, as often as it occurs.

    Attributes:
        keys: (n,) hashes; the lowest bit says the family.
        starts, ends: (n,) the characters of the text that each spans, end excluded; empty where an n-gram lies outside.
    """

    keys: Keys
    starts: Bounds
    ends: Bounds


def find_ngrams(text: str) -> NGrams:
    """Find the character n-grams within words and the word n-grams of a text, small and without accents.

    A word is a run of letters, digits and underscores; every other sign but blanks is a word of its own. Keys are equal for
    texts that differ in capitals, accents or final sigma alone.
    """
    if not text or text.isspace():
        none = np.zeros(0, dtype=np.int64)
        return NGrams(keys=none.astype(np.uint32), starts=none, ends=none)
    codes, kinds, places = _stream(text)
    powers, inverses = _powers(len(codes).bit_length())
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(codes * powers[: len(codes)], dtype=np.uint64)])

    def hashed(starts: Bounds, ends: Bounds) -> _Codes:
        return np.asarray((sums[ends] - sums[starts]) * inverses[starts])

    keys, starts, ends = [], [], []
    for found, begin, end in (*_characters(codes, hashed), *_words(kinds, hashed)):
        keys.append(found)
        starts.append(places[begin])
        ends.append(places[end])
    return NGrams(keys=np.concatenate(keys), starts=np.concatenate(starts), ends=np.concatenate(ends))


def _stream(text: str) -> tuple[_Codes, NDArray[np.uint8], Bounds]:
    """Fold a text to one code a character, each run of blanks to one, with a blank at both ends.

    Returns:
        codes and kinds (0 blank, 1 word, 2 sign) of the stream, and for each place in it, and its end, the place in the text.
    """
    folded, kind_of = _tables()
    raw = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    known = raw < _TABLE
    low = np.where(known, raw, 0)
    codes = np.where(known, folded[low], raw).astype(np.uint64)
    kinds = np.where(known, kind_of[low], 2).astype(np.uint8)
    blank = kinds == 0
    codes[blank] = _BLANK
    keep = np.flatnonzero(~(blank & np.r_[True, blank[:-1]]))
    tail = () if len(keep) and blank[keep[-1]] else (0,)
    edge = [int(keep[-1]) + 1 if len(keep) else 0] * len(tail)
    places = np.concatenate([[0], keep, edge, [len(raw)]]).astype(np.int64)
    codes = np.concatenate([[_BLANK], codes[keep], [_BLANK] * len(tail)]).astype(np.uint64)
    return codes, np.concatenate([[0], kinds[keep], tail]).astype(np.uint8), places


def _characters(codes: _Codes, hashed: _Hash) -> list[tuple[Keys, Bounds, Bounds]]:
    """All n-grams that have no blank inside."""
    blanks = np.concatenate([[0], np.cumsum(codes == _BLANK)])
    found = []
    for n in CHARACTERS:
        starts = np.arange(max(0, len(codes) - n + 1), dtype=np.int64)
        starts = starts[blanks[starts + n - 1] == blanks[starts + 1]]
        found.append((_keys(hashed(starts, starts + n), n, 0), starts, starts + n))
    return found


def _words(kinds: NDArray[np.uint8], hashed: _Hash) -> list[tuple[Keys, Bounds, Bounds]]:
    before, after = np.r_[np.uint8(0), kinds[:-1]], np.r_[kinds[1:], np.uint8(0)]
    sign, letter = kinds == 2, kinds == 1
    starts = np.flatnonzero(sign | (letter & (before != 1)))
    ends = np.flatnonzero(sign | (letter & (after != 1))) + 1
    single = hashed(starts, ends)
    found = []
    for n in WORDS:
        count = max(0, len(starts) - n + 1)
        joined = np.zeros(count, dtype=np.uint64)
        for k in range(n):
            joined = _mixed(joined ^ single[k : k + count], k)
        found.append((_keys(joined, n, 1), starts[:count], ends[n - 1 : n - 1 + count]))
    return found


def _keys(hashes: _Codes, n: int, family: int) -> Keys:
    return np.asarray(((_mixed(hashes, 8 * family + n) >> np.uint64(33)).astype(np.uint32) << np.uint32(1)) | np.uint32(family))


def _mixed(hashes: _Codes, salt: int) -> _Codes:
    """Spread the bits (the finaliser of SplitMix64, Steele et al., 2014)."""
    with np.errstate(over="ignore"):
        x = hashes + np.uint64((salt + 1) * _BASE % (1 << 64))
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return np.asarray(x ^ (x >> np.uint64(31)))


@lru_cache(maxsize=4)
def _powers(bits: int) -> tuple[_Codes, _Codes]:
    """Powers of the base and of its inverse modulo 2^64, for streams of less than 2^bits characters."""
    size = max(1 << bits, 2048) + 1

    def series(base: int) -> _Codes:
        steps = np.full(size, base, dtype=np.uint64)
        steps[0] = 1
        return np.cumprod(steps, dtype=np.uint64)

    return series(_BASE), series(_INVERSE)


@lru_cache(maxsize=1)
def _tables() -> tuple[NDArray[np.uint32], NDArray[np.uint8]]:
    """For the first characters of Unicode: the small base letter, and the kind (0 blank, 1 word, 2 sign)."""
    folded = np.arange(_TABLE, dtype=np.uint32)
    kinds = np.full(_TABLE, 2, dtype=np.uint8)
    for code in range(_TABLE):
        ch = chr(code)
        if ch.isspace():
            kinds[code] = 0
        elif ch.isalnum() or ch == "_" or unicodedata.combining(ch):
            kinds[code] = 1
            folded[code] = ord(unicodedata.normalize("NFD", ch.lower())[0])
    folded[ord("ς")] = ord("σ")
    return folded, kinds
