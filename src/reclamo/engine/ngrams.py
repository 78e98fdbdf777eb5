"""The linear part of a tagger: hashed n-grams with a weight for each label, beside the network."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reclamo.errors import ArtefactError
from reclamo.text.ngrams import FAMILIES, NGrams, find_ngrams

Array = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """The n-grams that are counted.

    Attributes:
        keys: uint32 (features,), sorted, no two alike. idf: float32 (features,), the inverse document frequency of each.
    """

    keys: NDArray[np.uint32]
    idf: Array

    def features(self, ngrams: NGrams) -> Features:
        """Weigh the n-grams of one text: sublinear term frequency times idf, of length one within each family."""
        if not len(self.keys):
            none = np.zeros(0, dtype=np.int64)
            empty = none.astype(np.float32)
            return Features(columns=none, values=empty, shares=empty, occurrences=none, places=none)
        at = np.minimum(np.searchsorted(self.keys, ngrams.keys), len(self.keys) - 1)
        known = np.flatnonzero(self.keys[at] == ngrams.keys)
        columns, places, counts = np.unique(at[known], return_inverse=True, return_counts=True)
        values = (1.0 + np.log(counts)).astype(np.float32) * self.idf[columns]
        family = self.keys[columns] % FAMILIES
        for k in range(FAMILIES):
            mine = family == k
            values[mine] /= max(float(np.sqrt(np.square(values[mine]).sum())), 1e-12)
        return Features(columns=columns, values=values, shares=values / np.maximum(counts, 1), occurrences=known, places=places)


@dataclass(frozen=True, kw_only=True)
class Features:
    """The features of one text.

    Attributes:
        columns, values: (k,) which, and how much. shares: (k,) values divided by occurrences.
        occurrences: (n,) indices into the text's n-grams. places: (n,) which of the k features each belongs to.
    """

    columns: NDArray[np.int64]
    values: Array
    shares: Array
    occurrences: NDArray[np.int64]
    places: NDArray[np.int64]


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

    def logits(self, text: str) -> Array:
        """Score a cleaned text: (n_logits,)."""
        return self._logits(self.vocabulary.features(find_ngrams(text)))

    def explained(self, text: str, spans: NDArray[np.int64]) -> tuple[Array, Array]:
        """Score a text and share out the scores, without the bias, over its tokens.

        Every occurrence of an n-gram gives its part evenly to the characters that it spans; characters between tokens give
        theirs to the token before.

        Args:
            spans: (tokens, 2) characters of the text, in order; empty spans get nothing.

        Returns:
            logits (n_logits,), and contributions (n_logits, tokens), whose sum over the tokens is `logits - bias`.
        """
        contributions = np.zeros((len(self.bias), len(spans)), dtype=np.float32)
        ngrams = find_ngrams(text)
        features = self.vocabulary.features(ngrams)
        real = np.flatnonzero(spans[:, 1] > spans[:, 0])
        if len(real) and len(features.columns):
            edges = np.concatenate([[0], spans[real[1:], 0], [len(text)]])
            parts = self.weights[features.columns] * (features.shares[:, None] * self.weight_scale)
            contributions[:, real] = share_out(ngrams, features, parts, edges).T
        return self._logits(features), contributions

    def _logits(self, features: Features) -> Array:
        # Summed, not multiplied by BLAS: its threads cost more than they give on matrices as small as these.
        weighed = (features.values[:, None] * self.weights[features.columns]).sum(axis=0, dtype=np.float32)
        return np.asarray(weighed * self.weight_scale + self.bias, dtype=np.float32)

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


def share_out(ngrams: NGrams, features: Features, parts: Array, edges: NDArray[np.int64]) -> Array:
    """Sum what each occurrence gives over the stretches of a text; one that crosses an edge is split by characters.

    Args:
        parts: (features, n_logits) what one occurrence gives. edges: (stretches + 1,) ascending, from 0 to the text's length.

    Returns:
        (stretches, n_logits).
    """
    starts, ends = ngrams.starts[features.occurrences], ngrams.ends[features.occurrences]
    count = len(edges) - 1
    first = np.clip(np.searchsorted(edges, starts, side="right") - 1, 0, count - 1)
    last = np.clip(np.searchsorted(edges, ends, side="left") - 1, first, count - 1)
    crossed = last - first + 1
    occurrence = np.repeat(np.arange(len(starts)), crossed)
    stretch = np.arange(len(occurrence)) - np.repeat(np.cumsum(crossed) - crossed - first, crossed)
    inside = np.minimum(ends[occurrence], edges[stretch + 1]) - np.maximum(starts[occurrence], edges[stretch])
    whole = (crossed == 1)[occurrence]
    portion = np.where(whole, 1.0, inside / np.maximum(ends - starts, 1)[occurrence]).astype(np.float32)
    order = np.argsort(stretch, kind="stable")
    found, begins = np.unique(stretch[order], return_index=True)
    out = np.zeros((count, parts.shape[1]), dtype=np.float32)
    out[found] = np.add.reduceat(parts[features.places[occurrence[order]]] * portion[order, None], begins, axis=0)
    return out


def quantised(weights: Array, n_logits: int) -> tuple[NDArray[np.int8], Array]:
    """Round weights (features, n_logits) to 8 bits a column, symmetric: the rounded ones and the unit of each column."""
    unit = np.maximum(np.abs(weights).max(axis=0, initial=0.0), 1e-12).astype(np.float32) / 127.0
    return np.rint(weights / unit).astype(np.int8).reshape(-1, n_logits), unit
