"""Labelled messages of the bundled schema, and predictors whose answers are known."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reclamo.artefact import Calibration, HeadCalibration
from reclamo.baselines import Array
from reclamo.corpus import Example, encode_targets
from reclamo.evaluation.compare import System
from reclamo.taxonomy import Taxonomy

GROUNDS = ("delay", "neglect", "billing", "access")
TRAITS = ("greeting", "courtesy", "apology", "resolution")


def labelled(n: int, seed: int = 1) -> list[Example]:
    """Messages in three languages with random labels that obey the schema's rules; two a scenario."""
    rng = random.Random(seed)
    examples = []
    for k in range(n):
        labels: dict[str, str | bool | tuple[str, ...]] = {"sentiment": rng.choice(("negative", "neutral", "positive"))}
        if rng.random() < 0.6:
            complaint = rng.random() < 0.5
            labels |= {"role": "customer", "complaint": complaint, "churn_risk": rng.random() < 0.3}
            labels |= {"severity": rng.choice(("low", "medium", "high")) if complaint else "none"}
            labels |= {"reason": rng.choice(("billing", "order", "feedback"))}
            labels["grounds"] = tuple(g for g in GROUNDS if rng.random() < 0.4) or ("delay",) if complaint else ()
        else:
            labels |= {"role": "agent", "traits": tuple(t for t in TRAITS if rng.random() < 0.5)}
        lang = ("es", "el", "it")[k % 3]
        meta = {"scenario": f"{lang}-{k // 6}", "channel": rng.choice(("email", "chat"))}
        text = f"mensaje {seed} {k} " + "x" * rng.randrange(400)
        examples.append(Example(id=f"{seed}-{k}", text=text, lang=lang, labels=labels, meta=meta, hard=("irony",) if k % 7 == 0 else ()))
    return examples


@dataclass(frozen=True)
class Knowing:
    """Gives the true logits, spoilt by noise of a set size; 0 is always right."""

    name: str
    taxonomy: Taxonomy
    noise: float = 0.0
    seed: int = 0

    def logits(self, examples: Sequence[Example]) -> Array:
        """Score messages."""
        truth = 4.0 * (2 * encode_targets(examples, self.taxonomy).values - 1)
        rng = np.random.default_rng(self.seed)
        return np.asarray(truth + self.noise * rng.normal(size=truth.shape), dtype=np.float32)


def calibrated(taxonomy: Taxonomy, threshold: float = 0.5) -> Calibration:
    """Temperature 1 and one threshold everywhere."""
    heads = {h.name: HeadCalibration(thresholds=() if h.exclusive else (threshold,) * len(h.labels)) for h in taxonomy.heads}
    return Calibration(heads=heads)


def system(name: str, noise: float, taxonomy: Taxonomy, seed: int = 0) -> System:
    """A predictor of known quality as a system."""
    predictor = Knowing(name=name, taxonomy=taxonomy, noise=noise, seed=seed)
    return System(predictor=predictor, calibration=calibrated(taxonomy), description=f"knows the truth, noise {noise}")
