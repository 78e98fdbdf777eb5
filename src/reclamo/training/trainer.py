"""The training loop: bf16 where there is hardware for it, resumable after a kill, seeded, stopped early."""

from __future__ import annotations

import logging
import math
import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from reclamo.engine.processor import instructions
from reclamo.model.loss import HeadsLoss
from reclamo.model.network import TaggerNetwork
from reclamo.taxonomy import Taxonomy
from reclamo.training.checkpoint import load_checkpoint, read_state, save_checkpoint
from reclamo.training.config import OptimConfig
from reclamo.training.data import Batch, TrainingSet
from reclamo.training.score import macro_average_precision
from reclamo.training.warmstart import warm_start

Progress = Callable[[dict[str, Any]], None]
CHECKPOINT_SECONDS = 120.0
log = logging.getLogger("reclamo")
WARM_START_ROWS = 3000


@dataclass
class History:
    """What training saw: a record for each epoch, the best epoch, and its score."""

    epochs: list[dict[str, Any]] = field(default_factory=list)
    best: int = -1
    best_score: float = -math.inf


class Objective(Protocol):
    """What a step makes smaller in place of the labels' loss alone; its fingerprint is kept in the checkpoint."""

    @property
    def fingerprint(self) -> dict[str, Any]: ...

    @property
    def blends(self) -> bool: ...  # whether the weights are mixed with others once training has ended

    def __call__(
        self, network: TaggerNetwork, batch: Batch, labels: HeadsLoss, autocast: Callable[[], AbstractContextManager[Any]]
    ) -> Tensor: ...


class Trainer:
    """Train one network on one training set.

    Args:
        network: its encoder and heads.
        taxonomy: the heads.
        train, validation: examples with targets; without a validation set every epoch is run and the last is kept.
        config: the optimiser's settings.
        run: folder of the checkpoint; None writes none.
        partial: rows of `train` that are drawn anew in each epoch, with the share to draw.
        objective: what to make smaller; the labels' loss by default.
        identity: what else a checkpoint must have been made with to go on from it, such as the hash of the data.
        progress: called with a record at each step, checkpoint and epoch.
    """

    def __init__(
        self,
        network: TaggerNetwork,
        taxonomy: Taxonomy,
        train: TrainingSet,
        validation: TrainingSet | None,
        config: OptimConfig,
        *,
        run: Path | None = None,
        partial: tuple[Sequence[int], float] = ((), 0.0),
        objective: Objective | None = None,
        identity: Mapping[str, Any] | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.manual_seed(config.seed)
        if config.threads:
            torch.set_num_threads(config.threads)
        self.network = network.to(self.device)
        self.taxonomy = taxonomy
        self.train = train
        self.validation = validation
        self.config = config
        self.run_folder = run
        self.partial = partial
        self.objective = objective
        self.identity = dict(identity or {})
        self.progress = progress or (lambda record: None)
        self.loss = HeadsLoss(taxonomy, train.targets, cap=config.weight_cap, smoothing=config.smoothing).to(self.device)
        self.bf16 = wants_bf16(config.precision, self.device)
        self.history = History()
        self.best: dict[str, Tensor] = {}
        self.running: dict[str, Tensor] = {}

    def autocast(self) -> torch.autocast:
        """The precision context of forward passes."""
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.bf16)

    def fit(self) -> History:
        """Train, from the last checkpoint if there is one; leave the best weights in the network."""
        steps = sum(1 for _ in self._epoch_batches(0)) * self.config.epochs
        optimiser = build_optimiser(self.network, self.config)
        schedule = [group["lr"] for group in optimiser.param_groups]
        epoch, done, step = self._resume(optimiser)
        if epoch == 0 and done == 0 and self.config.warm_start:
            self.progress({"kind": "warm_start", "loss": warm_start(self.network, self._sample(), self.loss, self.autocast)})
        saved = time.monotonic()
        while epoch < self.config.epochs and not self._stopped(epoch):
            batches = self._epoch_batches(epoch)
            self.network.train()
            total = 0.0
            for index, batch in enumerate(batches):
                if index < done:
                    continue
                torch.manual_seed(self.config.seed * 1_000_003 + step)
                set_rates(optimiser, schedule, step, steps, self.config.warmup)
                total += self._step(optimiser, batch.to(self.device))
                step += 1
                self.progress({"kind": "step", "step": step, "steps": steps, "epoch": epoch, "loss": total / (index + 1 - done)})
                if self.run_folder and time.monotonic() - saved > CHECKPOINT_SECONDS:
                    self._save(optimiser, epoch, index + 1, step)
                    saved = time.monotonic()
            self._end_epoch(epoch, total / max(1, len(batches) - done))  # of the steps since it went on
            done = 0
            epoch += 1
            if self.run_folder:
                self._save(optimiser, epoch, 0, step)
                saved = time.monotonic()
        if self.best:
            self.network.load_state_dict(self.best)
        return self.history

    def logits(self, data: TrainingSet) -> NDArray[np.float32]:
        """Score every example of a set with the present weights: (examples, n_logits)."""
        self.network.eval()
        out = np.zeros((len(data.examples), self.taxonomy.n_logits), dtype=np.float32)
        with torch.no_grad():
            for batch in data.in_order():
                moved = batch.to(self.device)
                with self.autocast():
                    logits, _ = self.network(moved.ids, moved.mask)
                out[batch.rows] = logits.float().cpu().numpy()
        return out

    def _loss(self, batch: Batch) -> Tensor:
        if self.objective is not None:
            return self.objective(self.network, batch, self.loss, self.autocast)
        with self.autocast():
            logits, _ = self.network(batch.ids, batch.mask)
        loss: Tensor = self.loss(logits.float(), batch.values, batch.asked)
        return loss

    def _step(self, optimiser: torch.optim.Optimizer, batch: Batch) -> float:
        loss = self._loss(batch)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_([p for p in self.network.parameters() if p.requires_grad], self.config.clip)
        optimiser.step()
        if self.config.average:
            self._average()
        return float(loss.detach())

    def _average(self) -> None:
        with torch.no_grad():
            for name, value in self.network.named_parameters():
                if not value.requires_grad:
                    continue
                if name not in self.running:
                    self.running[name] = value.detach().clone()
                else:
                    self.running[name].lerp_(value.detach(), 1.0 - self.config.average)

    def _end_epoch(self, epoch: int, loss: float) -> None:
        kept = {name: value.detach().clone() for name, value in self.network.named_parameters() if name in self.running}
        self.network.load_state_dict(self.running, strict=False)
        record: dict[str, Any] = {"epoch": epoch, "loss": loss}
        if self.validation is not None:
            scores = macro_average_precision(self.taxonomy, self.logits(self.validation), self.validation.targets)
            record |= {"average_precision": scores}
            better = scores["mean"] > self.history.best_score
            if not scores.keys() - {"mean"}:
                log.warning("no label of the validation messages has both answers, so no epoch can be told from another: the last is kept")
                better = True
        else:
            scores, better = {"mean": -loss}, True
        if better:
            self.history.best, self.history.best_score = epoch, scores["mean"]
            self.best = {name: value.detach().clone() for name, value in self.network.state_dict().items()}
        self.network.load_state_dict(kept, strict=False)
        self.history.epochs.append(record)
        self.progress({"kind": "epoch", **record, "better": better})

    def _stopped(self, epoch: int) -> bool:
        return self.validation is not None and self.history.best >= 0 and epoch - 1 - self.history.best >= self.config.patience

    def _epoch_batches(self, epoch: int) -> list[Any]:
        rows, share = self.partial
        draw = None
        if rows:
            chosen = set(rows)
            whole = [row for row in range(len(self.train.examples)) if row not in chosen]
            rng = random.Random(self.config.seed * 7919 + epoch)
            draw = whole + sorted(rng.sample(list(rows), round(len(rows) * share)))
        return self.train.epoch(self.config.seed * 10_007 + epoch, self.config.augment, draw, self.config.marks)

    def _sample(self) -> TrainingSet:
        """At most WARM_START_ROWS of the messages that are no partial ones: enough for a linear model, and quick."""
        partial = set(self.partial[0])
        rows = [row for row in range(len(self.train.examples)) if row not in partial]
        random.Random(self.config.seed).shuffle(rows)
        return self.train.subset(sorted(rows[:WARM_START_ROWS]))

    def _settings(self) -> dict[str, Any]:
        """What a checkpoint must have been made with to go on from it."""
        objective = {} if self.objective is None else {"objective": self.objective.fingerprint}
        return self.config.model_dump(mode="json") | objective | self.identity

    def _save(self, optimiser: torch.optim.Optimizer, epoch: int, done: int, step: int) -> None:
        assert self.run_folder is not None
        extra = {f"best.{k}": v for k, v in self.best.items()} | {f"running.{k}": v for k, v in self.running.items()}
        state = {"epoch": epoch, "done": done, "step": step, "config": self._settings(), "history": vars(self.history)}
        state["blends"] = self.objective is not None and self.objective.blends
        save_checkpoint(self.run_folder / "checkpoint", self.network, optimiser, extra, state)
        self.progress({"kind": "checkpoint", "step": step})

    def _resume(self, optimiser: torch.optim.Optimizer) -> tuple[int, int, int]:
        folder = self.run_folder / "checkpoint" if self.run_folder else None
        state = read_state(folder) if folder else None
        if folder is None or state is None:
            return 0, 0, 0
        if state["config"] != self._settings():
            log.warning("%s is of other settings or other data: training starts anew", folder)
            return 0, 0, 0
        extra = load_checkpoint(folder, self.network, optimiser)
        self.history = History(**state["history"])
        self.best = {k[5:]: v.to(self.device) for k, v in extra.items() if k.startswith("best.")}
        self.running = {k[8:]: v.to(self.device) for k, v in extra.items() if k.startswith("running.")}
        self.progress({"kind": "resume", "step": state["step"]})
        return state["epoch"], state["done"], state["step"]


def wants_bf16(precision: str, device: torch.device) -> bool:
    """Say whether to compute in bf16: asked for, or `auto` on a GPU or a processor with bf16 matrix units."""
    if precision != "auto":
        return precision == "bf16"
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return bool(instructions() & {"amx_bf16", "avx512_bf16"})


def build_optimiser(network: TaggerNetwork, config: OptimConfig) -> torch.optim.AdamW:
    """AdamW with a rate for the heads and one for each encoder layer, falling by `layer_decay` from the top."""
    layers = int(getattr(network.encoder.config, "num_hidden_layers", 0))
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if not parameter.requires_grad:
            continue
        rate = config.head_lr if name.startswith("attention.") else config.encoder_lr * config.layer_decay ** depth_below_top(name, layers)
        decay = 0.0 if parameter.ndim < 2 or name.startswith("attention.") else config.weight_decay
        groups.setdefault((rate, decay), []).append(parameter)
    return torch.optim.AdamW([{"params": params, "lr": rate, "weight_decay": decay} for (rate, decay), params in groups.items()])


def depth_below_top(name: str, layers: int) -> int:
    """How many layers lie above a parameter: 0 in the top layer, `layers` in the embeddings.

    Example: with 12 layers, encoder.encoder.layer.11.… -> 0 and encoder.embeddings.… -> 12.
    """
    parts = name.split(".")
    index = next((int(part) for part in parts if part.isdigit()), None)
    return layers - 1 - index if index is not None else layers if "embeddings" in parts else 0


def set_rates(optimiser: torch.optim.Optimizer, peaks: Sequence[float], step: int, steps: int, warmup: float) -> None:
    """Linear warm-up, then linear decay to zero."""
    rising = max(1, round(steps * warmup))
    factor = (step + 1) / rising if step < rising else max(0.0, (steps - step) / max(1, steps - rising))
    for group, peak in zip(optimiser.param_groups, peaks, strict=True):
        group["lr"] = peak * factor
