"""The validation score: macro average precision over the labels that validation holds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reclamo.corpus import Targets
from reclamo.taxonomy import Taxonomy


def average_precision(truth: NDArray[np.float32], scores: NDArray[np.float32]) -> float:
    """Average precision of one label: the mean, over the positives, of the precision at their rank.

    Ties count at their last rank, so that a constant score gives the share of positives.
    Example: truth [1, 0, 1], scores [.9, .8, .7] -> (1/1 + 2/3) / 2.
    """
    order = np.argsort(-scores, kind="stable")
    ranked, sorted_truth = scores[order], truth[order]
    last = np.r_[np.nonzero(np.diff(ranked))[0], len(ranked) - 1]
    hits = np.cumsum(sorted_truth)[last]
    precision = hits / (last + 1)
    gained = np.diff(np.r_[0.0, hits])
    return float((precision * gained).sum() / max(hits[-1], 1.0))


def macro_average_precision(taxonomy: Taxonomy, logits: NDArray[np.float32], targets: Targets) -> dict[str, float]:
    """Average precision per head (mean over its labels that have positives and negatives), and `mean` over the heads."""
    found: dict[str, float] = {}
    for head in taxonomy.heads:
        values, asked = targets.head(taxonomy, head.name)
        scores = logits[asked][:, taxonomy.slices[head.name]]
        if head.kind == "one_of":
            scores = scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)
        per_label = [average_precision(values[:, k], scores[:, k]) for k in range(values.shape[1]) if 0 < values[:, k].sum() < len(values)]
        if per_label:
            found[head.name] = float(np.mean(per_label))
    found["mean"] = float(np.mean(list(found.values()))) if found else 0.0
    return found
