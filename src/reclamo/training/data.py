"""Tokenised training examples and their batches: buckets by length, no padding waste, seeded."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
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
    """Tensors of one step.

    Attributes:
        ids, mask: (batch, tokens), of the texts as they were altered.
        values, asked: (batch, n_logits) and (batch, heads), the labels.
        rows: (batch,) which of the examples.
        plain, plain_mask: (batch, tokens), of the texts as they are.
        tails: (batch,) whether a text that is too long is read from where its last tokens fit.
    """

    ids: Tensor
    mask: Tensor
    values: Tensor
    asked: Tensor
    rows: NDArray[np.int64]
    plain: Tensor
    plain_mask: Tensor
    tails: NDArray[np.bool_]

    def to(self, device: torch.device) -> Batch:
        """Move the tensors."""
        moved: dict[str, Any] = {name: value.to(device) for name, value in vars(self).items() if isinstance(value, Tensor)}
        return replace(self, **moved)


@dataclass(frozen=True)
class _Line:
    """Token ids of one text of a batch, with their special tokens: altered and as they are."""

    ids: list[int]
    plain: list[int]
    tail: bool = False


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

    def epoch(self, seed: int, share_altered: float, draw: Sequence[int] | None = None, marks: float = 0.0) -> list[Batch]:
        """Give the batches of one epoch: the same seed gives the same batches.

        Args:
            seed: of this epoch. share_altered: of texts that are augmented. draw: the rows to use, all by default.
            marks: share of short texts whose handles, links and hashtags change.
        """
        rng = random.Random(seed)
        rows = list(draw) if draw is not None else list(range(len(self.examples)))
        plain = [self.examples[row].text for row in rows]
        altered = [augment(text, share_altered, rng, marks) for text in plain]
        encoded = zip(self.tokens.encode(altered), self.tokens.encode(plain), strict=True)
        return self._batches(rows, [self._frame(ids, as_is, rng) for ids, as_is in encoded], rng)

    def in_order(self) -> Iterator[Batch]:
        """Give unaltered batches for measuring; rows say which example each line is."""
        framed = [self.tokens.frame(ids) for ids in self.tokens.encode([example.text for example in self.examples])]
        yield from self._batches(list(range(len(framed))), [_Line(ids, ids) for ids in framed], None)

    def _frame(self, ids: list[int], plain: list[int], rng: random.Random) -> _Line:
        room = self.tokens.max_tokens - 2
        excess = len(ids) - room
        if self.token_dropout:
            ids = [self.tokens.unknown if rng.random() < self.token_dropout else token for token in ids]
        start = rng.choice((0, 0, excess)) if excess > 0 else 0
        return _Line(self.tokens.frame(ids, start), self.tokens.frame(plain, max(0, len(plain) - room) if start else 0), start > 0)

    def _batches(self, rows: list[int], framed: list[_Line], rng: random.Random | None) -> list[Batch]:
        lengths = [len(line.ids) for line in framed]
        jitter = [rng.random() * 8 if rng else 0.0 for _ in framed]
        order = sorted(range(len(framed)), key=lambda i: (lengths[i] + jitter[i], i))
        groups: list[list[int]] = []
        for i in order:
            if groups and (len(groups[-1]) + 1) * max(lengths[i], lengths[groups[-1][0]]) <= self.tokens_per_batch:
                groups[-1].append(i)
            else:
                groups.append([i])
        if rng:
            rng.shuffle(groups)
        return [self._collate(rows, framed, group) for group in groups]

    def _collate(self, rows: list[int], framed: list[_Line], group: list[int]) -> Batch:
        ids, mask = self._pad([framed[i].ids for i in group])
        plain, plain_mask = self._pad([framed[i].plain for i in group])
        picked = np.array([rows[i] for i in group], dtype=np.int64)
        return Batch(
            ids=ids,
            mask=mask,
            values=torch.from_numpy(self.targets.values[picked]),
            asked=torch.from_numpy(self.targets.mask[picked]),
            rows=picked,
            plain=plain,
            plain_mask=plain_mask,
            tails=np.array([framed[i].tail for i in group]),
        )

    def _pad(self, lines: Sequence[list[int]]) -> tuple[Tensor, Tensor]:
        longest = max(len(line) for line in lines)
        ids = torch.full((len(lines), longest), self.tokens.pad, dtype=torch.long)
        mask = torch.zeros((len(lines), longest), dtype=torch.long)
        for k, line in enumerate(lines):
            ids[k, : len(line)] = torch.tensor(line)
            mask[k, : len(line)] = 1
        return ids, mask
