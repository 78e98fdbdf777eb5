"""Cut a set by what may make messages harder: length, channel, sector, kind of difficulty, origin, alphabet."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import numpy as np

from reclamo.corpus import Example
from reclamo.evaluation import metrics
from reclamo.evaluation.compare import Measured
from reclamo.evaluation.schema import SliceScore
from reclamo.text.greeklish import is_greeklish

LEAST_MESSAGES: Final = 10
LENGTHS: Final = ((80, "to 80 characters"), (300, "to 300"), (800, "to 800"), (math.inf, "over 800"))


def _length(example: Example) -> list[str]:
    return [next(name for most, name in LENGTHS if len(example.text) <= most)]


def greek_share(text: str) -> float:
    """The share of a text's letters that are Greek; 0 where it has none. Example: «Δεν ok» -> 0.6."""
    letters = [ch for ch in text if ch.isalpha()]
    return sum("\u0370" <= ch <= "\u03ff" or "\u1f00" <= ch <= "\u1fff" for ch in letters) / max(len(letters), 1)


def _alphabet(example: Example) -> list[str]:
    if example.lang != "el":
        return []
    return ["Greeklish" if greek_share(example.text) < 0.25 and is_greeklish(example.text) else "Greek letters"]


def _meta(key: str) -> Callable[[Example], list[str]]:
    return lambda example: [example.meta[key]] if key in example.meta else []


# What a message belongs to under each kind of slice; none, one or several values.
KINDS: Final[dict[str, Callable[[Example], list[str]]]] = {
    "length": _length,
    "channel": _meta("channel"),
    "sector": _meta("sector"),
    "hard": lambda example: list(example.hard) or ["not hard"],
    "origin": lambda example: ["real" if "source" in example.meta else "written"],
    "source": _meta("source"),
    "alphabet": _alphabet,
    "role": lambda example: [example.role] if example.role else [],
}


def slice_masks(examples: Sequence[Example]) -> Iterator[tuple[str, str, np.ndarray[tuple[int, ...], np.dtype[np.bool_]]]]:
    """Give (kind, value, mask over messages) of every slice; a kind that does not divide the set is left out."""
    for kind, values_of in KINDS.items():
        values = [frozenset(values_of(example)) for example in examples]
        names = sorted(set().union(*values)) if values else []
        for name in names:
            mask = np.array([name in mine for mine in values], dtype=np.bool_)
            if not mask.all():
                yield kind, name, mask


def slice_scores(measured: Sequence[Measured]) -> Iterator[SliceScore]:
    """Score the systems on every slice of one set with at least ten messages, each on the heads that all of them have there.

    Heads with fewer than ten messages take no part.
    """
    for kind, value, mask in slice_masks(measured[0].set.examples) if measured else ():
        found = [_slice_heads(one, mask) for one in measured]
        common = [name for name in found[0] if all(name in heads for heads in found)]
        if not common or mask.sum() < LEAST_MESSAGES:
            continue
        for one, heads in zip(measured, found, strict=True):
            yield SliceScore(
                system=one.system.name,
                set=one.set.name,
                kind=kind,
                value=value,
                messages=int(mask.sum()),
                mean=round(float(np.mean([heads[name] for name in common])), 4),
                heads={name: heads[name] for name in common},
            )


def _slice_heads(measured: Measured, mask: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> dict[str, float]:
    heads: dict[str, float] = {}
    for name, whole in measured.outcomes.items():
        outcome = whole.take(mask)
        if len(outcome.rows) >= LEAST_MESSAGES:
            score = float(metrics.headline(outcome.head.kind, metrics.label_counts(outcome).sum(axis=0)))
            heads |= {} if math.isnan(score) else {name: round(score, 4)}
    return heads
