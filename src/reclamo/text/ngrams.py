"""Character and word n-grams of a text as hashed keys, found without a loop over characters."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from reclamo.text.marks import blank_marks

CHARACTERS: Final = range(2, 6)  # lengths of character n-grams, word edges counted as a blank
WORDS: Final = range(1, 3)
FAMILIES: Final = 2  # the lowest bit of a key: 0 characters, 1 words

Keys = NDArray[np.uint32]
Bounds = NDArray[np.int64]
_Codes = NDArray[np.uint64]
_Found = tuple[Keys, Bounds, Bounds, Bounds]

_TABLE: Final = 0x2000  # covers every Latin, Greek (polytonic too) and Cyrillic letter; what lies beyond counts as a sign
_BASE: Final = 0x9E3779B97F4A7C15
_INVERSE: Final = pow(_BASE, -1, 1 << 64)
_BLANK: Final = 32


@dataclass(frozen=True, kw_only=True)
class NGrams:
    """Every n-gram of some texts, as often as it occurs.

    Attributes:
        keys: (n,) hashes; the lowest bit says the family.
        owners: (n,) which of the texts each stands in.
        starts, ends: (n,) the characters of that text that each spans, end excluded.
        texts: how many texts there are.
    """

    keys: Keys
    owners: Bounds
    starts: Bounds
    ends: Bounds
    texts: int = 1


@dataclass(frozen=True, kw_only=True)
class _Stream:
    """Texts joined and folded to one code a character, each run of blanks to one, with a blank at both ends.

    Attributes:
        codes, kinds: (m,) of each place; a kind is 0 blank, 1 word, 2 sign.
        owners: (m,) the text of each place; a blank between two texts counts with either.
        places: (m + 1,) where each place, and the end, lies in the joined texts.
        edges: (texts + 1,) where each text begins in the joined texts; one character stands between them.
    """

    codes: _Codes
    kinds: NDArray[np.uint8]
    owners: Bounds
    places: Bounds
    edges: Bounds


def find_ngrams(*texts: str) -> NGrams:
    """Find the character n-grams within words and the word n-grams of texts, small and without accents; handles and links are blanks.

    A word is a run of letters, digits and underscores; every other sign but blanks is a word of its own. Keys are equal for
    texts that differ in capitals, accents or final sigma alone. Many short texts at once take a fraction of their time apart.
    """
    stream = _join([blank_marks(text) for text in texts])
    codes = stream.codes
    powers, inverses = _powers(len(codes).bit_length())
    sums = np.zeros(len(codes) + 1, dtype=np.uint64)
    np.cumsum(codes * powers[: len(codes)], out=sums[1:])
    found = [*_characters(stream, sums, inverses), *_words(stream, sums, inverses)]
    keys, owners, starts, ends = (np.concatenate(parts) for parts in zip(*found, strict=True))
    begin, stop = stream.edges[owners], stream.edges[owners + 1] - 1
    return NGrams(
        keys=keys,
        owners=owners,
        starts=np.maximum(stream.places[starts], begin) - begin,
        ends=np.minimum(stream.places[ends], stop) - begin,
        texts=len(texts),
    )


def _join(texts: Sequence[str]) -> _Stream:
    folded, kind_of = _tables()
    raw = np.frombuffer("\n".join(texts).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    edges = np.zeros(len(texts) + 1, dtype=np.int64)
    np.cumsum([len(text) + 1 for text in texts], out=edges[1:])
    known = raw < _TABLE
    low = np.where(known, raw, 0)
    codes = np.where(known, folded[low], raw)
    kinds = np.where(known, kind_of[low], 2).astype(np.uint8)
    blank = kinds == 0
    codes[blank] = _BLANK
    keep = np.flatnonzero(~(blank & np.concatenate([[True], blank[:-1]]))) if len(raw) else np.zeros(0, dtype=np.int64)
    tail = len(keep) and not blank[keep[-1]]
    edge = keep[-1:] + 1 if tail else keep[:0]
    return _Stream(
        codes=np.concatenate([[_BLANK], codes[keep], [_BLANK] * len(edge)]).astype(np.uint64),
        kinds=np.concatenate([[0], kinds[keep], [0] * len(edge)]).astype(np.uint8),
        owners=np.concatenate([[0], np.searchsorted(edges, keep, side="right") - 1, [len(texts) - 1] * len(edge)]).astype(np.int64),
        places=np.concatenate([[0], keep, edge, [len(raw)]]),
        edges=edges,
    )


def _characters(stream: _Stream, sums: _Codes, inverses: _Codes) -> Iterator[_Found]:
    """All n-grams that have no blank inside: keys, texts, and where each starts and ends in the stream."""
    blanks = np.concatenate([[0], np.cumsum(stream.kinds == 0)])
    size = len(stream.codes)
    for n in CHARACTERS:
        count = max(0, size - n + 1)
        starts = np.flatnonzero(blanks[n - 1 : n - 1 + count] == blanks[1 : 1 + count])
        hashes = (sums[starts + n] - sums[starts]) * inverses[starts]
        # Of two characters the second may be the blank after a text, which counts with the next one.
        inner = starts + (stream.kinds[starts] == 0) if n == 2 else starts + 1
        yield _keys(hashes, n, 0), stream.owners[inner], starts, starts + n


def _words(stream: _Stream, sums: _Codes, inverses: _Codes) -> Iterator[_Found]:
    kinds = stream.kinds
    before, after = np.concatenate([kinds[:1], kinds[:-1]]), np.concatenate([kinds[1:], [0]])
    sign, letter = kinds == 2, kinds == 1
    starts = np.flatnonzero(sign | (letter & (before != 1)))
    ends = np.flatnonzero(sign | (letter & (after != 1))) + 1
    single = (sums[ends] - sums[starts]) * inverses[starts]
    owners = stream.owners[starts]
    for n in WORDS:
        count = max(0, len(starts) - n + 1)
        joined = np.zeros(count, dtype=np.uint64)
        for k in range(n):
            joined = _mixed(joined ^ single[k : k + count], k)
        same = np.flatnonzero(owners[:count] == owners[n - 1 : n - 1 + count])
        yield _keys(joined[same], n, 1), owners[same], starts[same], ends[same + n - 1]


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
