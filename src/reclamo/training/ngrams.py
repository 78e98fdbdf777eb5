"""Fit the linear part of a tagger: logistic regressions on hashed n-grams, weighed against the network on validation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from reclamo.corpus import Example, Targets, encode_targets
from reclamo.engine.ngrams import LinearPart, Vocabulary, quantised
from reclamo.taxonomy import Taxonomy
from reclamo.text.ngrams import FAMILIES, NGrams, find_ngrams
from reclamo.training.calibration import fit_temperature
from reclamo.training.config import NGramsConfig
from reclamo.training.score import macro_average_precision

Array = NDArray[np.float32]
SHARES: Final = tuple(round(0.05 * k, 2) for k in range(16))
TOLERANCE: Final = 0.005


def fit_linear_part(
    taxonomy: Taxonomy,
    train: Sequence[Example],
    validation: Sequence[Example],
    network_logits: Array,
    config: NGramsConfig,
    say: Callable[[dict[str, Any]], None] = lambda record: None,
) -> LinearPart:
    """Fit n-grams on the training messages and choose their share on the validation messages.

    Network and n-grams are each brought to one scale by a temperature a head, then mixed: (1 - share) network + share n-grams.
    The share is one number for all heads, so that it cannot fit the few validation messages of a rare label too closely: the
    smallest whose mean macro average precision is within TOLERANCE of the best, since n-grams carry over less well to mail of
    other kinds than the network does.

    Args:
        network_logits: of the validation messages, (messages, n_logits).
    """
    from reclamo.baselines.linear import Search, fit_linear_heads

    counted = [find_ngrams(example.text) for example in train]
    vocabulary = choose_vocabulary(counted, config)
    groups = [example.group for example in train]
    search = Search(costs=tuple(config.costs), weights=("balanced",))
    heads = fit_linear_heads(feature_rows(vocabulary, counted), encode_targets(train, taxonomy), groups, taxonomy, search)
    own = heads.logits(feature_rows(vocabulary, [find_ngrams(example.text) for example in validation]))
    targets = encode_targets(validation, taxonomy)
    network_unit, own_unit = units(taxonomy, network_logits, targets), units(taxonomy, own, targets)
    scores = {
        share: macro_average_precision(taxonomy, (1 - share) * network_logits * network_unit + share * own * own_unit, targets)["mean"]
        for share in SHARES
    }
    enough = max(scores.values()) - TOLERANCE
    share = next(share for share in SHARES if scores[share] >= enough) if config.share is None else config.share
    say({"kind": "ngrams", "features": len(vocabulary.keys), "share": share, "network": scores[0.0], "both": scores.get(share)})
    weights, unit = quantised(heads.coefficients * (share * own_unit), taxonomy.n_logits)
    return LinearPart(
        vocabulary=vocabulary,
        weights=weights,
        weight_scale=unit,
        bias=np.asarray(heads.intercepts * share * own_unit, dtype=np.float32),
        network_scale=np.asarray((1 - share) * network_unit, dtype=np.float32),
    )


def units(taxonomy: Taxonomy, logits: Array, targets: Targets) -> Array:
    """The factor that calibrates each logit: one over its head's temperature, (n_logits,)."""
    found = np.ones(taxonomy.n_logits, dtype=np.float32)
    for head in taxonomy.heads:
        values, asked = targets.head(taxonomy, head.name)
        if len(values):
            where = taxonomy.slices[head.name]
            found[where] = 1.0 / fit_temperature(head, logits[asked][:, where], values)
    return found


def choose_vocabulary(counted: Sequence[NGrams], config: NGramsConfig) -> Vocabulary:
    """Keep the n-grams that stand in the most messages, and in at least two; smoothed idf as in scikit-learn."""
    keys, frequency = np.unique(np.concatenate([np.unique(ngrams.keys) for ngrams in counted]), return_counts=True)
    kept = np.zeros(len(keys), dtype=bool)
    for family, most in zip(range(FAMILIES), (config.characters, config.words), strict=True):
        mine = np.flatnonzero((keys % FAMILIES == family) & (frequency >= 2))
        kept[mine[np.argsort(-frequency[mine], kind="stable")[:most]]] = True
    idf = np.log((1 + len(counted)) / (1 + frequency[kept])) + 1
    return Vocabulary(keys=keys[kept], idf=idf.astype(np.float32))


def feature_rows(vocabulary: Vocabulary, counted: Sequence[NGrams]) -> Any:
    """The features of many texts as a sparse matrix (texts, features)."""
    from scipy import sparse  # type: ignore[import-untyped]

    found = [vocabulary.features(ngrams) for ngrams in counted]
    ends = np.cumsum([0, *(len(features.columns) for features in found)])
    columns = np.concatenate([features.columns for features in found]) if found else np.zeros(0, dtype=np.int64)
    values = np.concatenate([features.values for features in found]) if found else np.zeros(0, dtype=np.float32)
    return sparse.csr_matrix((values, columns, ends), shape=(len(found), len(vocabulary.keys)))
