"""What scoring gives of one pass of the network: logits, what each token gave to them, and windows pooled to messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from reclamo.engine.ngrams import Features, LinearPart
from reclamo.engine.tokens import Unit
from reclamo.taxonomy import Taxonomy

Array = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Counted:
    """The n-grams of one unit: text number `place` of those whose features these are."""

    linear: LinearPart
    features: Features
    place: int

    def contributions(self, unit: Unit, wanted: Array) -> Array:
        """What the n-grams of each token gave to sums of logits: wanted (n_logits, sums) -> (tokens, sums)."""
        return self.linear.contributions(self.features, self.place, unit.spans, len(unit.text), wanted)


@dataclass(frozen=True, kw_only=True)
class Scored:
    """One unit, scored.

    Attributes:
        logits: (n_logits,) of the network and the n-grams together.
        network: (n_logits, tokens) the contributions to the network's logits; None where they were not wanted.
        ngrams: None where the tagger has none.
    """

    unit: Unit
    logits: Array
    network: Array | None
    ngrams: Counted | None

    def contributions(self, wanted: Array) -> Array:
        """What each token gave to sums of logits.

        Args:
            wanted: (n_logits, sums) the weight of each logit in each sum.

        Returns:
            (tokens, sums); over the tokens they add up to `logits @ wanted`, but for the biases.
        """
        assert self.network is not None
        if self.ngrams is None:
            return np.asarray(self.network.T @ wanted)
        return np.asarray(
            self.network.T @ (self.ngrams.linear.network_scale[:, None] * wanted) + self.ngrams.contributions(self.unit, wanted)
        )


def pool_windows(taxonomy: Taxonomy, logits: Sequence[Array], units: Sequence[Unit]) -> Array:
    """Pool the logits of a message's windows: the mean by tokens for one-of heads, the largest for all others.

    What is stated in one window is stated; what is one thing of several is weighed.

    Args:
        logits: (n_logits,) of each window. units: the windows.

    Returns:
        (n_logits,)
    """
    if len(logits) == 1:
        return logits[0]
    scores = np.stack(logits)
    lengths = np.array([len(unit.ids) for unit in units], dtype=np.float32)
    pooled = scores.max(axis=0)
    for head in taxonomy.heads:
        if head.kind == "one_of":
            where = taxonomy.slices[head.name]
            pooled[where] = (scores[:, where] * lengths[:, None]).sum(0) / lengths.sum()
    return np.asarray(pooled)


def pool_all(taxonomy: Taxonomy, logits: Sequence[Array] | Array, units: Sequence[Unit]) -> Array:
    """Pool the windows of several messages, each of which has some: logits (units, n_logits) -> (messages, n_logits)."""
    lines = groupby(range(len(units)), key=lambda index: units[index].message)
    return np.stack([pool_windows(taxonomy, [logits[k] for k in mine], [units[k] for k in mine]) for mine in (list(m) for _, m in lines)])
