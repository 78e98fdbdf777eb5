"""The linear part of a tagger: hashed n-grams with a weight for each label, beside the network."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from reclamo.errors import ArtefactError
from reclamo.text.ngrams import FAMILIES, NGrams, find_ngrams

Array = NDArray[np.float32]
LONG: Final = 1 << 13  # characters of a text up to which contributions are summed character by character
SMALL_PRODUCT: Final = 1 << 17  # multiplications up to which OpenBLAS, whose own bound is twice that, starts no threads


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """The n-grams that are counted.

    Attributes:
        keys: uint32 (features,), sorted, no two alike. idf: float32 (features,), the inverse document frequency of each.
    """

    keys: NDArray[np.uint32]
    idf: Array

    def features(self, ngrams: NGrams) -> Features:
        """Weigh the n-grams of texts: sublinear term frequency times idf, of length one within each family of a text."""
        at = self._find(ngrams.keys)
        known = np.flatnonzero(at >= 0)
        pair = ngrams.owners[known] * len(self.keys) + at[known]
        order = np.argsort(pair)
        pair = pair[order]
        new = np.concatenate([[True], pair[1:] != pair[:-1]])[: len(pair)]
        first = np.flatnonzero(new)
        counts = np.diff(np.append(first, len(pair)))
        texts, columns = np.divmod(pair[first], max(len(self.keys), 1))
        values = np.asarray((1.0 + np.log(counts)) * self.idf[columns], dtype=np.float32)
        family = texts * FAMILIES + self.keys[columns] % FAMILIES
        lengths = np.sqrt(np.bincount(family, weights=np.square(values), minlength=ngrams.texts * FAMILIES))
        values = np.asarray(values / np.maximum(lengths[family], 1e-12), dtype=np.float32)
        known = known[order]
        bounds = np.searchsorted(texts, np.arange(ngrams.texts + 1))
        return Features(
            columns=columns,
            values=values,
            shares=(values / counts).astype(np.float32),
            bounds=bounds,
            places=np.cumsum(new) - 1,
            starts=ngrams.starts[known],
            ends=ngrams.ends[known],
            occurrences=np.append(first, len(pair))[bounds],
        )

    def _find(self, keys: NDArray[np.uint32]) -> NDArray[np.int64]:
        """Where each key stands, -1 where it does not: the bits at its top say where to look, and some steps find it."""
        shift, begins, padded = self._index
        at = begins[keys >> shift]
        ahead = np.flatnonzero(padded[at] < keys)
        while len(ahead):
            at[ahead] += 1
            ahead = ahead[padded[at[ahead]] < keys[ahead]]
        return np.where(padded[at] == keys, at, -1)

    @cached_property
    def _index(self) -> tuple[np.uint32, NDArray[np.int64], NDArray[np.uint64]]:
        bits = min(len(self.keys).bit_length() + 1, 24)
        shift = 32 - bits
        begins = np.searchsorted(self.keys, np.arange(1 << bits, dtype=np.uint64) << np.uint64(shift))
        return np.uint32(shift), begins, np.append(self.keys.astype(np.uint64), np.uint64(1 << 32))


@dataclass(frozen=True, kw_only=True)
class Features:
    """The features of some texts, and where in them each occurs.

    Attributes:
        columns, values: (k,) which, and how much. shares: (k,) values divided by occurrences.
        bounds: (texts + 1,) the features of text i are those from bounds[i] to bounds[i + 1].
        places: (n,) which of the k features each occurrence belongs to. starts, ends: (n,) its characters of the text.
        occurrences: (texts + 1,) the bounds of each text's occurrences.
    """

    columns: NDArray[np.int64]
    values: Array
    shares: Array
    bounds: NDArray[np.int64]
    places: NDArray[np.int64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    occurrences: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class LinearPart:
    """What n-grams add to the network's logits: logits = network * network_scale + features @ weights + bias.

    Attributes:
        vocabulary: the features. weights: int8 (features, n_logits), in units of weight_scale (n_logits,).
        bias, network_scale: (n_logits,).
    """

    vocabulary: Vocabulary
    weights: NDArray[np.int8]
    weight_scale: Array
    bias: Array
    network_scale: Array

    def features(self, texts: Sequence[str]) -> Features:
        """Find the features of cleaned texts."""
        return self.vocabulary.features(find_ngrams(*texts))

    def logits(self, features: Features) -> Array:
        """Score texts by their features: (texts, n_logits)."""
        scores = np.empty((len(features.bounds) - 1, len(self.bias)), dtype=np.float32)
        for text, (begin, end) in enumerate(pairwise(features.bounds.tolist())):
            # Summed, not multiplied by BLAS: its threads cost more than they give on matrices as small as these.
            weighed = features.values[begin:end, None] * self.weights[features.columns[begin:end]]
            scores[text] = weighed.sum(axis=0, dtype=np.float32)
        return np.asarray(scores * self.weight_scale + self.bias, dtype=np.float32)

    def contributions(self, features: Features, text: int, spans: NDArray[np.int64], length: int, wanted: Array) -> Array:
        """Share out what the n-grams of one text give to sums of its logits, without the bias, over its tokens.

        Every occurrence of an n-gram gives its part evenly to the characters that it spans; characters between tokens give
        theirs to the token before, those ahead of all tokens to the first.

        Args:
            text: which of the texts of `features`. length: its length in characters.
            spans: (tokens, 2) characters of the text, in order; empty spans get nothing.
            wanted: (n_logits, sums) the weight of each logit in each sum.

        Returns:
            (tokens, sums), which add up to `(logits - bias) @ wanted`.
        """
        given = np.zeros((len(spans), wanted.shape[1]), dtype=np.float32)
        real = np.flatnonzero(spans[:, 1] > spans[:, 0])
        begin, end = features.bounds[text : text + 2].tolist()
        if not len(real) or begin == end:
            return given
        edges = np.concatenate([[0], spans[real[1:], 0], [length]])
        parts = multiply(self.weights[features.columns[begin:end]], self.weight_scale[:, None] * wanted)
        parts *= features.shares[begin:end, None]
        first, last = features.occurrences[text : text + 2].tolist()
        given[real] = share_out(features.starts[first:last], features.ends[first:last], parts[features.places[first:last] - begin], edges)
        return given

    def save(self, path: Path) -> None:
        """Write one .npz without pickle; the same numbers give the same bytes."""
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, array in self._arrays().items():
                buffer = io.BytesIO()
                np.save(buffer, array, allow_pickle=False)
                archive.writestr(zipfile.ZipInfo(name + ".npy"), buffer.getvalue(), zipfile.ZIP_DEFLATED)

    def _arrays(self) -> dict[str, NDArray[Any]]:
        own = {name: getattr(self, name) for name in ("weights", "weight_scale", "bias", "network_scale")}
        return {"keys": self.vocabulary.keys, "idf": self.vocabulary.idf, **own}

    @classmethod
    def load(cls, path: Path, n_logits: int) -> LinearPart:
        """Read what `save` wrote.

        Raises:
            ArtefactError: the file is no such thing, or does not fit the taxonomy.
        """
        try:
            with np.load(path, allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in stored.files}
            vocabulary = Vocabulary(keys=arrays.pop("keys"), idf=arrays.pop("idf"))
            part = cls(vocabulary=vocabulary, **arrays)
        except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
            raise ArtefactError(f"holds no n-grams ({error}); copy the tagger again, or retrain it", path=path) from error
        shapes = (part.weights.shape, part.bias.shape, part.weight_scale.shape, part.network_scale.shape)
        if shapes != ((len(vocabulary.keys), n_logits), *((n_logits,),) * 3) or vocabulary.idf.shape != vocabulary.keys.shape:
            raise ArtefactError("the n-grams do not fit the taxonomy; copy the tagger again, or retrain it", path=path)
        return part


def share_out(starts: NDArray[np.int64], ends: NDArray[np.int64], parts: Array, edges: NDArray[np.int64]) -> Array:
    """Sum what n-grams give over the stretches of a text; one that crosses an edge is split by characters.

    Args:
        starts, ends: (n,) the characters of each. parts: (n, sums) what each gives.
        edges: (stretches + 1,) ascending, from 0 to the text's length.

    Returns:
        (stretches, sums).
    """
    dense = parts / (ends - starts)[:, None]
    widths = None
    if int(edges[-1]) > LONG:  # few n-grams in many characters, such as a long run of one sign: count places instead
        places = np.unique(np.concatenate([starts, ends, edges]))
        starts, ends, edges = (np.searchsorted(places, some) for some in (starts, ends, edges))
        widths = np.diff(places, append=places[-1:])[:, None]
    length, sums = int(edges[-1]), parts.shape[1]
    # What each character gets changes where an n-gram starts and ends; summed up once that is the character's, twice all before it.
    where = np.concatenate([starts, ends])[:, None] * sums + np.arange(sums)
    change = np.bincount(where.ravel(), weights=np.concatenate([dense, -dense]).ravel(), minlength=(length + 1) * sums)
    each = np.cumsum(change.reshape(length + 1, sums), axis=0)
    upto = np.zeros((length + 2, sums))
    np.cumsum(each if widths is None else each * widths, axis=0, out=upto[1:])
    return np.asarray(np.diff(upto[edges], axis=0), dtype=np.float32)


def multiply(rows: NDArray[np.int8], weights: Array) -> Array:
    """The product of 8-bit rows (n, k) with a narrow matrix (k, m), in pieces that BLAS works on without threads of its own."""
    step = max(1, SMALL_PRODUCT // max(weights.size, 1))
    out = np.empty((len(rows), weights.shape[1]), dtype=np.float32)
    for begin in range(0, len(rows), step):
        np.matmul(rows[begin : begin + step].astype(np.float32), weights, out=out[begin : begin + step])
    return out


def quantised(weights: Array, n_logits: int) -> tuple[NDArray[np.int8], Array]:
    """Round weights (features, n_logits) to 8 bits a column, symmetric: the rounded ones and the unit of each column."""
    unit = np.maximum(np.abs(weights).max(axis=0, initial=0.0), 1e-12).astype(np.float32) / 127.0
    return np.rint(weights / unit).astype(np.int8).reshape(-1, n_logits), unit
