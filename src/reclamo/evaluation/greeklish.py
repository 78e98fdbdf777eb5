"""Greek messages written in Latin letters: is a system as good on them as on the same messages in Greek letters?"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from reclamo.corpus import Example
from reclamo.evaluation.bootstrap import Draws, mean_over_heads
from reclamo.evaluation.compare import LEAST_MESSAGES, EvaluationSet, Measured, measure
from reclamo.evaluation.metrics import Counts
from reclamo.evaluation.outcomes import Bools, Indices, Outcome
from reclamo.evaluation.schema import GreeklishScore
from reclamo.evaluation.scores import as_interval, score_with_resamples
from reclamo.evaluation.slices import greek_share
from reclamo.taxonomy import Taxonomy
from reclamo.text import clean_text
from reclamo.text.greeklish import to_greeklish
from reclamo.text.language import detect_language

GREEK: Final = "el"
LEAST_GREEK: Final = 0.25  # of the letters of a message
Scored = dict[str, tuple[float, Counts]]


def in_latin_letters(example: Example, seed: int) -> Example:
    """Write a message as one person would in Latin letters; the habits are drawn by the seed and the id."""
    return replace(example, text=clean_text(to_greeklish(example.text, random.Random(f"{seed} {example.id}"))))


def greeklish_score(measured: Measured, taxonomy: Taxonomy, *, resamples: int, seed: int) -> GreeklishScore | None:
    """Measure one system on the messages of a set that are in Greek letters, in both alphabets.

    None where there are fewer than ten of them. The difference of the means over heads has the 95 % interval of a paired
    bootstrap over groups.
    """
    wanted: Bools = np.array([e.lang == GREEK and greek_share(e.text) >= LEAST_GREEK for e in measured.set.examples], dtype=np.bool_)
    if wanted.sum() < LEAST_MESSAGES:
        return None
    examples = [in_latin_letters(e, seed) for e, keep in zip(measured.set.examples, wanted, strict=True) if keep]
    after = measure(measured.system, EvaluationSet.of(measured.set.name, examples, taxonomy), taxonomy)
    draws = Draws.of([example.group for example in examples], resamples, seed)
    before = {name: outcome.take(wanted) for name, outcome in measured.outcomes.items()}
    one, two = _scored(before, draws, np.cumsum(wanted) - 1), _scored(after.outcomes, draws, np.arange(len(examples)))
    heads = [name for name in one if name in two]
    if not heads:
        return None
    greek, greeklish = (float(np.mean([scored[name][0] for name in heads])) for scored in (one, two))
    gaps = mean_over_heads([two[name][1] for name in heads]) - mean_over_heads([one[name][1] for name in heads])
    return GreeklishScore(
        system=measured.system.name,
        set=measured.set.name,
        messages=len(examples),
        detected=_detected(examples, taxonomy),
        greek=round(greek, 4),
        greeklish=round(greeklish, 4),
        difference=as_interval(greeklish - greek, gaps),
        heads={name: (round(one[name][0], 4), round(two[name][0], 4)) for name in heads},
    )


def _scored(outcomes: Mapping[str, Outcome], draws: Draws, place: Indices) -> Scored:
    found: Scored = {}
    for name, outcome in outcomes.items():
        scored = score_with_resamples(outcome, draws, place) if len(outcome.rows) >= LEAST_MESSAGES else None
        if scored is not None:
            found[name] = scored
    return found


def _detected(examples: Sequence[Example], taxonomy: Taxonomy) -> float:
    """The share of messages that are found to be Greek by their text."""
    return round(float(np.mean([detect_language(example.text, taxonomy.languages) == GREEK for example in examples])), 4)
