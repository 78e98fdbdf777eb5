"""How faithful the evidence of reclamo-small is, beside gradient times input and chance.

    python benchmarks/evidence.py [MESSAGES]      (some minutes on 2 cores; 150 messages of the test split by default)

Deletes the words that each way puts first, and measures by how much the answer's probability falls (comprehensiveness, more is better)
and by how much it falls where those words alone are left (sufficiency, less is better), as `evaluate.py` does. Gradient times input
(Simonyan et al., 2014; Shrikumar et al., 2017) explains the trained network in torch; the n-grams beside the network are explained
exactly in both. Writes docs/evidence.md. Needs the trained network in runs/small.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from reclamo.corpus import read_corpus
from reclamo.engine.evidence import word_contributions
from reclamo.engine.scored import Scored
from reclamo.engine.tagger import Tagger, load
from reclamo.evaluation.faithfulness import TaggerExplainer, draw, faithfulness_scores
from reclamo.evaluation.schema import FaithfulnessScore
from reclamo.model.network import TaggerNetwork
from reclamo.training.config import load_config
from reclamo.training.distil import read_teacher
from reclamo.training.run import build_network

ROOT = Path(__file__).parents[1]
CONFIG, SEED = "configs/small.toml", 17
PAGE = """# How faithful the evidence is

On {count} messages of the test split, {answers} answers: by how much an answer's probability falls when the words that each way
puts first are deleted (comprehensiveness: more is better), and when they alone are left (sufficiency: less is better); words drawn
at random beside them. Means over the heads. Written by `python benchmarks/evidence.py`.

{table}
"""
Array = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class GradientExplainer:
    """Gradient times input through the network, and the exact contributions of the n-grams beside it."""

    tagger: Tagger
    network: TaggerNetwork

    def logits(self, texts: Iterable[str]) -> Array:
        """Score texts: (texts, n_logits)."""
        return self.tagger.logits(texts)

    def explain(self, texts: Sequence[str], wanted: Sequence[Array]) -> Iterator[tuple[NDArray[np.int64], Array]]:
        """Give of each text its word spans (words, 2) and their contributions (words, directions)."""
        units = self.tagger.units(texts)
        scored = self.tagger.run(units, want_contributions=False)
        for index, text in enumerate(texts):
            mine = [one for one in scored if one.unit.message == index]
            parts = [self._tokens(one, wanted[index]) for one in mine]
            yield word_contributions(text, np.concatenate([one.unit.offsets for one in mine]), np.concatenate(parts))

    def _tokens(self, scored: Scored, wanted: Array) -> Array:
        scale = scored.ngrams.linear.network_scale[:, None] if scored.ngrams else 1.0
        ids = torch.from_numpy(scored.unit.ids[None])
        encoder: Any = self.network.encoder
        inputs = encoder.get_input_embeddings()(ids).detach().requires_grad_()
        mask = torch.ones_like(ids)
        logits, _ = self.network.attention(encoder(inputs_embeds=inputs, attention_mask=mask).last_hidden_state, mask)
        sums = logits[0] @ torch.from_numpy(np.asarray(wanted * scale, dtype=np.float32))
        gradients = [torch.autograd.grad(one, inputs, retain_graph=True)[0] for one in sums]
        columns = [(gradient * inputs).sum(-1)[0].detach().numpy() for gradient in gradients]
        network = np.stack(columns, axis=1) if columns else np.zeros((len(scored.unit.ids), 0), np.float32)
        return np.asarray(network + (scored.ngrams.contributions(scored.unit, wanted) if scored.ngrams else 0.0), dtype=np.float32)


def tabulate(scores: dict[str, FaithfulnessScore]) -> str:
    """The figures as a Markdown table; words drawn at random are the same in every row."""
    lines = ["| words put first by | comprehensiveness | times random | sufficiency |", "| --- | ---: | ---: | ---: |"]
    for name, one in scores.items():
        lines.append(f"| {name} | {one.comprehensiveness:.3f} | {one.times_random:.1f} | {one.sufficiency:.3f} |")
    chance = next(iter(scores.values()))
    return "\n".join([*lines, f"| chance | {chance.random_comprehensiveness:.3f} | 1.0 | {chance.random_sufficiency:.3f} |"])


def main() -> int:
    """Measure, write the page; exit code 1 where the evidence is less comprehensive than gradient times input, or than twice chance."""
    os.chdir(ROOT)  # the configuration's paths are relative to it
    tagger = load(ROOT / "models" / "reclamo-small")
    config = load_config(CONFIG)
    network, _ = build_network(config.model, tagger.taxonomy.n_logits, config.optim.seed)
    trained = read_teacher(CONFIG, network).network.float().eval()
    test = [example for example in read_corpus(["data"]) if example.split == "test"]
    drawn = draw(test, int(sys.argv[1]) if len(sys.argv) > 1 else 150, SEED)
    ways: dict[str, Any] = {
        "the tagger's evidence": TaggerExplainer(tagger=tagger),
        "gradient times input": GradientExplainer(tagger=tagger, network=trained),
    }
    calibration = tagger.artefact.manifest.calibration
    found = {
        name: next(
            score
            for score in faithfulness_scores(way, name, "test", drawn, tagger.taxonomy, calibration, SEED)
            if (score.language, score.head) == ("all", "mean")
        )
        for name, way in ways.items()
    }
    print(table := tabulate(found))
    exact, gradient = found.values()
    page = PAGE.format(count=len(drawn), answers=exact.answers, table=table)
    (ROOT / "docs" / "evidence.md").write_text(page, encoding="utf-8")
    return int(exact.comprehensiveness < max(gradient.comprehensiveness, 2 * exact.random_comprehensiveness))


if __name__ == "__main__":
    sys.exit(main())
