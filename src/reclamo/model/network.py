"""One encoder, one pass, all heads: label-wise attention (Mullenbach et al., 2018)."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional


class LabelAttention(nn.Module):
    """Each label attends over the token states with a query of its own.

    logit_l = sum_t a_lt (w_l . h_t) + b_l, with a_l = softmax_t(q_l . h_t / sqrt(hidden)). Queries start at zero, which is
    mean pooling; a logit is the exact sum of what each token gave.
    """

    def __init__(self, hidden: int, labels: int) -> None:
        super().__init__()
        self.query = nn.Parameter(torch.zeros(labels, hidden))
        self.weight = nn.Parameter(torch.zeros(labels, hidden))
        self.bias = nn.Parameter(torch.zeros(labels))
        self.scale = hidden**-0.5

    def forward(self, states: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Score the labels.

        Args:
            states: token states, float (batch, tokens, hidden).
            mask: 1 on real tokens, (batch, tokens).

        Returns:
            logits (batch, labels) and contributions (batch, labels, tokens), with logits = contributions.sum(-1) + bias.
        """
        scores = functional.linear(states, self.query * self.scale).transpose(1, 2)
        scores = scores.masked_fill(mask[:, None, :] == 0, -1e4)
        values = functional.linear(states, self.weight).transpose(1, 2)
        shares = torch.softmax(scores, dim=-1)
        contributions = shares * values
        # The shares add up to 1, so this is contributions.sum(-1) + bias. Written so because OpenVINO 2026.4 fuses an addition
        # behind a sum over the last axis with the wrong broadcast, in batches of more than one.
        return (contributions + shares * self.bias[:, None]).sum(-1), contributions


class TaggerNetwork(nn.Module):
    """An encoder with label-wise attention over its last states."""

    def __init__(self, encoder: nn.Module, labels: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.encoder = encoder
        hidden = int(cast(Any, encoder).config.hidden_size)
        self.dropout = nn.Dropout(dropout)
        self.attention = LabelAttention(hidden, labels)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor]:
        """Score a batch of token ids (batch, tokens): logits (batch, labels), contributions (batch, labels, tokens)."""
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        logits, contributions = self.attention(self.dropout(states.float()), attention_mask)
        return logits, contributions

    def look_inside(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Score a batch and give the states after each layer: logits (batch, labels), states (batch, tokens, hidden) by layer."""
        out = self.encoder(input_ids=input_ids, attention_mask=attention_mask, output_hidden_states=True)
        logits, _ = self.attention(self.dropout(out.last_hidden_state.float()), attention_mask)
        return logits, tuple(out.hidden_states[1:])
