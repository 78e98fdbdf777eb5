"""The floor: every message gets the prior of the training messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reclamo.baselines.predictor import Array, prior_logits
from reclamo.corpus import Example, encode_targets
from reclamo.taxonomy import Taxonomy


@dataclass(frozen=True, kw_only=True)
class Majority:
    """Say of every message what is commonest. Build it with `Majority.fit`."""

    prior: Array
    name: str = "majority"

    @classmethod
    def fit(cls, examples: Sequence[Example], taxonomy: Taxonomy) -> Majority:
        """Count the labels of the training messages."""
        return cls(prior=prior_logits(taxonomy, encode_targets(examples, taxonomy)))

    def logits(self, examples: Sequence[Example]) -> Array:
        """Give the prior for each message: (messages, n_logits)."""
        return np.repeat(self.prior[None, :], len(examples), axis=0)
