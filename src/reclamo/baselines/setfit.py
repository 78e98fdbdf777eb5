"""SetFit (Tunstall et al., 2022): the encoder is tuned on pairs of messages, then logistic regressions are fitted on its embeddings.

A pair is two messages that both have a label, whose embeddings are drawn together, or of which one only has it, which are pushed apart.
Here one encoder serves all heads: each pair is drawn for a label of a head, all heads in turn.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from reclamo.baselines.embeddings import Encoder
from reclamo.corpus import Example
from reclamo.taxonomy import Taxonomy


@dataclass(frozen=True, kw_only=True)
class PairOptions:
    """How the encoder is tuned.

    Attributes:
        pairs: how many are drawn. batch: pairs a step. rate: the highest learning rate; it rises over a tenth of the steps and then
            falls to nothing. max_tokens: the longest input. bf16: compute in bf16.
    """

    pairs: int = 8000
    batch: int = 16
    rate: float = 5e-5
    max_tokens: int = 128
    bf16: bool = False
    seed: int = 17


@dataclass(frozen=True)
class Pair:
    """Two texts; alike where both have the label that was drawn, else only the left one has it."""

    left: str
    right: str
    alike: bool


def draw_pairs(examples: Sequence[Example], taxonomy: Taxonomy, count: int, seed: int) -> list[Pair]:
    """Draw pairs for all heads in turn, alike and unlike in turn; the label is drawn first: rare ones are met as often as others."""
    rng = random.Random(seed)
    groups = [group for head in taxonomy.heads for group in _groups(examples, head.name)]
    if not groups:
        return []
    pairs = []
    for number in range(count):
        labels = groups[number // 2 % len(groups)]
        name = rng.choice(sorted(name for name, (inside, outside) in labels.items() if len(inside) > 1 and outside))
        inside, outside = labels[name]
        alike = number % 2 == 0
        left, right = rng.sample(inside, 2) if alike else (rng.choice(inside), rng.choice(outside))
        pairs.append(Pair(left, right, alike))
    return pairs


def _groups(examples: Sequence[Example], head: str) -> list[dict[str, tuple[list[str], list[str]]]]:
    """By label, the texts that have it and those that do not, of a head with anything to tell apart: one entry, or none."""
    having: dict[str, list[str]] = defaultdict(list)
    asked: list[tuple[str, frozenset[str]]] = []
    for example in examples:
        if head in example.labels:
            value: Any = example.labels[head]
            labels = frozenset(value if isinstance(value, (list, tuple, set, frozenset)) else [str(value)])
            asked.append((example.text, labels))
            for label in labels:
                having[label].append(example.text)
    found = {label: (texts, [text for text, labels in asked if label not in labels]) for label, texts in having.items()}
    return [found] if any(len(inside) > 1 and outside for inside, outside in found.values()) else []


def tune_on_pairs(encoder: Encoder, pairs: Sequence[Pair], options: PairOptions, progress: Callable[[str], None] | None = None) -> None:
    """Tune an encoder in place, so that the cosine of a pair's embeddings comes near 1 or 0 (mean squared difference)."""
    import torch

    torch.manual_seed(options.seed)
    model = encoder.model.train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=options.rate, weight_decay=0.01)
    steps = max(1, -(-len(pairs) // options.batch))
    rising = max(1, steps // 10)
    falling = max(1, steps - rising)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: min((step + 1) / rising, max(0.0, (steps - step) / falling)))
    total = 0.0
    for step, batch in enumerate(_batches(pairs, options.batch)):
        wanted = torch.tensor([float(pair.alike) for pair in batch])
        left, right = (encoder.mean_states(texts, max_tokens=options.max_tokens, bf16=options.bf16) for texts in _sides(batch))
        loss = torch.nn.functional.mse_loss(torch.nn.functional.cosine_similarity(left, right), wanted)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        total += float(loss.detach())
        if progress and (step + 1) % 100 == 0:
            progress(f"{step + 1} of {steps} steps, mean loss {total / (step + 1):.3f}")
    model.eval()
    encoder.forget()


def _sides(batch: Sequence[Pair]) -> tuple[list[str], list[str]]:
    return [pair.left for pair in batch], [pair.right for pair in batch]


def _batches(pairs: Sequence[Pair], size: int) -> Iterator[Sequence[Pair]]:
    for start in range(0, len(pairs), size):
        yield pairs[start : start + size]
