"""The loss: one term per head, averaged over the heads that a message has."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from reclamo.corpus import Targets
from reclamo.taxonomy import Head, Taxonomy


class HeadsLoss(nn.Module):
    """Cross-entropy for one-of heads, binary cross-entropy for the rest (cumulative for ordered ones).

    Rare labels weigh more: the square root of the inverse frequency, capped, with mean 1 over the head's messages.

    Args:
        taxonomy: the heads.
        targets: of the training messages; class frequencies are counted here.
        cap: the largest weight of a rare label.
        smoothing: label smoothing, in [0, 1).
    """

    def __init__(self, taxonomy: Taxonomy, targets: Targets, *, cap: float = 4.0, smoothing: float = 0.0) -> None:
        super().__init__()
        self.taxonomy = taxonomy
        self.smoothing = smoothing
        for head in taxonomy.heads:
            values, _ = targets.head(taxonomy, head.name)
            self.register_buffer(f"weight_{head.name}", torch.from_numpy(label_weights(head, values, cap)))

    def forward(self, logits: Tensor, values: Tensor, mask: Tensor) -> Tensor:
        """Average over the batch of each message's mean head loss.

        Args:
            logits, values: (batch, n_logits). mask: bool (batch, heads).
        """
        terms = []
        for head in self.taxonomy.heads:
            where = self.taxonomy.slices[head.name]
            terms.append(self._head(head, logits[:, where], values[:, where]))
        losses = torch.stack(terms, dim=1)
        asked = mask.float()
        return ((losses * asked).sum(1) / asked.sum(1).clamp(min=1.0)).mean()

    def _head(self, head: Head, logits: Tensor, values: Tensor) -> Tensor:
        weight = self.get_buffer(f"weight_{head.name}")
        if head.kind == "one_of":
            soft = values * (1 - self.smoothing) + self.smoothing / values.shape[1]
            return -(torch.log_softmax(logits, dim=-1) * soft).sum(-1) * (values * weight).sum(-1)
        soft = values * (1 - self.smoothing) + 0.5 * self.smoothing
        loss = functional.binary_cross_entropy_with_logits(logits, soft, pos_weight=weight, reduction="none")
        return loss.mean(-1) if head.kind != "any_of" else loss.sum(-1) / loss.shape[1] ** 0.5


def label_weights(head: Head, values: NDArray[np.float32], cap: float) -> NDArray[np.float32]:
    """Weights of a head's labels from its training targets (n, n_logits).

    one_of: class weights sqrt(n / (k n_c)), scaled to mean 1 over the messages; otherwise sqrt(negatives / positives).
    Both within [1/cap, cap]; a head without messages has weight 1.
    """
    if len(values) == 0:
        return np.ones(head.n_logits, dtype=np.float32)
    positives = np.maximum(values.sum(0), 1.0)
    if head.kind == "one_of":
        raw = np.clip(np.sqrt(len(values) / (head.n_logits * positives)), 1 / cap, cap)
        counts = values.sum(0)
        raw = raw / ((raw * counts).sum() / counts.sum())
    else:
        raw = np.clip(np.sqrt(np.maximum(len(values) - positives, 1.0) / positives), 1.0, cap)
    return np.asarray(raw, dtype=np.float32)
