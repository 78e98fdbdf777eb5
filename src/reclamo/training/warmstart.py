"""Start the heads where a logistic regression on frozen embeddings ends.

With queries at zero, label-wise attention is mean pooling, so the regression's weights can be copied in as they are.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from reclamo.model.loss import HeadsLoss
from reclamo.model.network import TaggerNetwork
from reclamo.training.data import TrainingSet


@torch.no_grad()
def pooled_states(network: TaggerNetwork, data: TrainingSet, autocast: Callable[[], torch.autocast]) -> Tensor:
    """Mean-pool the encoder's last states of every example: float (examples, hidden)."""
    network.eval()
    device = network.attention.bias.device
    pooled = torch.zeros(len(data.examples), network.attention.weight.shape[1])
    for batch in data.in_order():
        moved = batch.to(device)
        with autocast():
            states = network.encoder(input_ids=moved.ids, attention_mask=moved.mask).last_hidden_state.float()
        weights = moved.mask[..., None].float()
        pooled[batch.rows] = ((states * weights).sum(1) / weights.sum(1)).cpu()
    return pooled


def warm_start(
    network: TaggerNetwork, data: TrainingSet, loss: HeadsLoss, autocast: Callable[[], torch.autocast], l2: float = 1e-3
) -> float:
    """Fit the label vectors on standardised pooled states, fold the standardisation in, write them into the network.

    Returns:
        the loss that the regression ends at.
    """
    pooled = pooled_states(network, data, autocast)
    mean, spread = pooled.mean(0), pooled.std(0, correction=0).clamp(min=1e-6)
    features = (pooled - mean) / spread
    values, asked = torch.from_numpy(data.targets.values), torch.from_numpy(data.targets.mask)
    weight = torch.zeros(network.attention.weight.shape, requires_grad=True)
    bias = torch.zeros(network.attention.bias.shape, requires_grad=True)
    on_cpu = loss.to("cpu")
    optimiser = torch.optim.LBFGS([weight, bias], max_iter=150, history_size=20, line_search_fn="strong_wolfe")

    def objective() -> Tensor:
        optimiser.zero_grad()
        result: Tensor = on_cpu(features @ weight.T + bias, values, asked) + l2 * weight.square().sum()
        result.backward()  # type: ignore[no-untyped-call]
        return result

    optimiser.step(objective)  # type: ignore[no-untyped-call]
    final = float(objective().detach())
    with torch.no_grad():
        folded = weight / spread
        network.attention.weight.copy_(folded)
        network.attention.bias.copy_(bias - folded @ mean)
    loss.to(network.attention.bias.device)
    return final
