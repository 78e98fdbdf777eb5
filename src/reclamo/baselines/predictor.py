"""What every system offers: a name, and logits in the layout of the taxonomy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from reclamo.corpus import Example, Targets
from reclamo.taxonomy import Head, Taxonomy

Array = NDArray[np.float32]


@runtime_checkable
class Predictor(Protocol):
    """Anything that scores messages. The same decoder and calibration then serve the network and every baseline."""

    @property
    def name(self) -> str:
        """What the reports call it."""
        ...

    def logits(self, examples: Sequence[Example]) -> Array:
        """Score messages by their text alone: float32 (messages, taxonomy.n_logits)."""
        ...


def prior_logits(taxonomy: Taxonomy, targets: Targets) -> Array:
    """The logits (n_logits,) that say how common each label is, with half a message added on either side.

    Example: a yes/no head with 30 yes in 40 messages -> log(30.5 / 10.5).
    """
    prior = np.zeros(taxonomy.n_logits, dtype=np.float32)
    for head in taxonomy.heads:
        values, _ = targets.head(taxonomy, head.name)
        prior[taxonomy.slices[head.name]] = head_prior(head, values)
    return prior


def head_prior(head: Head, values: Array) -> Array:
    """The prior of one head from its targets (messages, n_logits): log shares for one-of heads, log odds for the others."""
    yes = values.sum(axis=0, dtype=np.float64) + 0.5
    if head.kind == "one_of":
        return np.asarray(np.log(yes / yes.sum()), dtype=np.float32)
    return np.asarray(np.log(yes / (len(values) + 1.0 - yes)), dtype=np.float32)
