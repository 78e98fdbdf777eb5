"""Tokenised training examples and their batches: buckets by length, no padding waste, seeded."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reclamo.corpus import Example, Targets, encode_targets
from reclamo.taxonomy import Taxonomy
from reclamo.training.augment import augment


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Tensors of one step: ids and mask (batch, tokens), values (batch, n_logits), asked (batch, heads), rows (batch,)."""

    ids: Tensor
    mask: Tensor
    values: Tensor
    asked: Tensor
    rows: NDArray[np.int64]

    def to(self, device: torch.device) -> Batch:
        """Move the tensors."""
        return Batch(
            ids=self.ids.to(device), mask=self.mask.to(device), values=self.values.to(device), asked=self.asked.to(device), rows=self.rows
        )


class Tokens:
    """Token ids of examples under one tokenizer, cut to `max_tokens` with its special tokens."""

    def __init__(self, tokenizer: Any, max_tokens: int) -> None:
        self.backend = tokenizer.backend_tokenizer
        self.backend.no_padding()
        self.backend.no_truncation()
        self.pad = int(tokenizer.pad_token_id or 0)
        self.unknown = int(tokenizer.mask_token_id or tokenizer.unk_token_id or 0)
        self.max_tokens = max_tokens
        empty = self.backend.encode("").ids
        self.head: list[int] = empty[:1]
        self.tail: list[int] = empty[1:]

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Encode without cutting or special tokens."""
        return [encoding.ids for encoding in self.backend.encode_batch(list(texts), add_special_tokens=False)]

    def frame(self, ids: list[int], start: int = 0) -> list[int]:
        """Cut from `start` to the room there is and put the special tokens around."""
        room = self.max_tokens - len(self.head) - len(self.tail)
        return [*self.head, *ids[start : start + room], *self.tail]


class TrainingSet:
    """Examples with their targets, batched anew for each epoch."""

    def __init__(
        self, examples: Sequence[Example], taxonomy: Taxonomy, tokens: Tokens, tokens_per_batch: int, token_dropout: float = 0.0
    ) -> None:
        self.examples = list(examples)
        self.taxonomy = taxonomy
        self.targets: Targets = encode_targets(self.examples, taxonomy)
        self.tokens = tokens
        self.tokens_per_batch = tokens_per_batch
        self.token_dropout = token_dropout

    def subset(self, rows: Sequence[int]) -> TrainingSet:
        """Give a set of some of the examples."""
        return TrainingSet([self.examples[row] for row in rows], self.taxonomy, self.tokens, self.tokens_per_batch)

    def epoch(self, seed: int, share_altered: float, draw: Sequence[int] | None = None) -> list[Batch]:
        """Give the batches of one epoch: the same seed gives the same batches.

        Args:
            seed: of this epoch. share_altered: of texts that are augmented. draw: the rows to use, all by default.
        """
        rng = random.Random(seed)
        rows = list(draw) if draw is not None else list(range(len(self.examples)))
        texts = [augment(self.examples[row].text, share_altered, rng) for row in rows]
        framed = [self._frame(ids, rng) for ids in self.tokens.encode(texts)]
        return self._batches(rows, framed, rng)

    def in_order(self) -> Iterator[Batch]:
        """Give unaltered batches for measuring; rows say which example each line is."""
        framed = [self.tokens.frame(ids) for ids in self.tokens.encode([example.text for example in self.examples])]
        yield from self._batches(list(range(len(framed))), framed, None)

    def _frame(self, ids: list[int], rng: random.Random) -> list[int]:
        excess = len(ids) - self.tokens.max_tokens + 2
        if self.token_dropout:
            ids = [self.tokens.unknown if rng.random() < self.token_dropout else token for token in ids]
        return self.tokens.frame(ids, rng.choice((0, 0, excess)) if excess > 0 else 0)

    def _batches(self, rows: list[int], framed: list[list[int]], rng: random.Random | None) -> list[Batch]:
        jitter = [rng.random() * 8 if rng else 0.0 for _ in framed]
        order = sorted(range(len(framed)), key=lambda i: (len(framed[i]) + jitter[i], i))
        groups: list[list[int]] = []
        for i in order:
            if groups and (len(groups[-1]) + 1) * max(len(framed[i]), len(framed[groups[-1][0]])) <= self.tokens_per_batch:
                groups[-1].append(i)
            else:
                groups.append([i])
        if rng:
            rng.shuffle(groups)
        return [self._collate(rows, framed, group) for group in groups]

    def _collate(self, rows: list[int], framed: list[list[int]], group: list[int]) -> Batch:
        longest = max(len(framed[i]) for i in group)
        ids = torch.full((len(group), longest), self.tokens.pad, dtype=torch.long)
        mask = torch.zeros((len(group), longest), dtype=torch.long)
        for line, i in enumerate(group):
            ids[line, : len(framed[i])] = torch.tensor(framed[i])
            mask[line, : len(framed[i])] = 1
        picked = np.array([rows[i] for i in group], dtype=np.int64)
        return Batch(
            ids=ids,
            mask=mask,
            values=torch.from_numpy(self.targets.values[picked]),
            asked=torch.from_numpy(self.targets.mask[picked]),
            rows=picked,
        )
