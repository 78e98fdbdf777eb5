"""Compare what is shipped with the float32 network that it was made from, head by head, on the test split.

    python benchmarks/accuracy.py                (after training both; about a minute on two cores)

Reads the trained weights from the run folder of `configs/small.toml`, scores the test split with torch in float32, adds the n-grams
of reclamo-small and decodes with its calibration; then scores the same messages with each shipped tagger, from text to labels.
Writes docs/accuracy.md. Exit code 1 where a tagger is further below than it may be.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from reclamo.corpus import Targets, encode_targets, read_corpus
from reclamo.engine.scored import pool_all
from reclamo.engine.tagger import Tagger, load
from reclamo.evaluation.metrics import headline, label_counts
from reclamo.evaluation.outcomes import head_outcomes
from reclamo.training.config import load_config
from reclamo.training.distil import read_teacher
from reclamo.training.run import build_network

ROOT = Path(__file__).parents[1]
ALLOWED = {"reclamo-small": 0.005, "reclamo-tiny": 0.02}
PAGE = """# What shipping costs in accuracy

Scores on the {count} messages of the test split (macro-F1; micro-F1 for grounds and traits): of the float32 network in torch,
with the n-grams and the calibration of reclamo-small, and of the taggers as they are shipped. In brackets the points against
the first column. Written by `python benchmarks/accuracy.py`.

{table}
"""
Array = NDArray[np.float32]


def torch_logits(texts: Sequence[str], small: Tagger, config_path: Path) -> Array:
    """Score texts with the trained network in float32, one window at a time, with the n-grams of the shipped tagger: (texts, n_logits)."""
    config = load_config(config_path)
    network, _ = build_network(config.model, small.taxonomy.n_logits, config.optim.seed)
    trained = read_teacher(str(config_path), network).network.float()
    units = small.units(texts)
    scores = np.zeros((len(units), small.taxonomy.n_logits), dtype=np.float32)
    with torch.inference_mode():
        for row, unit in enumerate(units):
            logits, _ = trained(torch.from_numpy(unit.ids[None]), torch.ones(1, len(unit.ids), dtype=torch.long))
            scores[row] = logits.numpy()[0]
    return pool_all(small.taxonomy, small.add_ngrams(units, scores), units)


def main() -> int:
    """Measure, write the page, say whether every tagger is near enough."""
    os.chdir(ROOT)  # the configuration's paths are relative to it
    test = [example for example in read_corpus([str(ROOT / "data")]) if example.split == "test"]
    texts = [example.text for example in test]
    small = load(ROOT / "models" / "reclamo-small")
    logits = {"torch float32": (torch_logits(texts, small, ROOT / "configs" / "small.toml"), small)}
    for name in ALLOWED:
        if (ROOT / "models" / name / "manifest.json").exists():
            tagger = small if name == "reclamo-small" else load(ROOT / "models" / name)
            logits[name] = tagger.logits(texts), tagger
    targets = encode_targets(test, small.taxonomy)
    scores = {name: score_heads(scored, tagger, targets) for name, (scored, tagger) in logits.items()}
    print(table := tabulate(scores))
    (ROOT / "docs" / "accuracy.md").write_text(PAGE.format(count=len(test), table=table), encoding="utf-8")
    full = scores.pop("torch float32")
    return int(any(full[head] - value > ALLOWED[name] for name, mine in scores.items() for head, value in mine.items()))


def score_heads(logits: Array, tagger: Tagger, targets: Targets) -> dict[str, float]:
    """Decode logits (texts, n_logits) as a tagger does, and score each head on the messages that have it."""
    found = head_outcomes(tagger.taxonomy, tagger.artefact.manifest.calibration, logits, targets)
    return {name: float(headline(one.head.kind, label_counts(one).sum(axis=0))) for name, one in found.items()}


def tabulate(scores: dict[str, dict[str, float]]) -> str:
    """A Markdown table: a row for each head, and their mean."""
    (first, full), *others = scores.items()
    lines = [f"| head | {first} | {' | '.join(name for name, _ in others)} |", "| --- |" + " ---: |" * len(scores)]
    for head in [*full, "mean"]:
        base, *rest = (float(np.mean(list(one.values()))) if head == "mean" else one[head] for one in scores.values())
        lines.append(f"| {head} | {base:.3f} | " + " | ".join(f"{value:.3f} ({100 * (value - base):+.1f})" for value in rest) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
