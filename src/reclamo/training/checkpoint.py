"""Checkpoints without pickle: tensors in safetensors, the rest in JSON, replaced in one rename."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from reclamo.errors import ArtefactError

STATE = "state.json"
TENSORS = "tensors.safetensors"
FINISHED = "finished.safetensors"
BEST = "extra.best."


def save_checkpoint(folder: Path, network: nn.Module, optimiser: Optimizer, extra: dict[str, Tensor], state: dict[str, Any]) -> None:
    """Write network, optimiser moments, further tensors and plain state; a kill leaves the old one or the new one."""
    tensors = {f"network.{name}": value.detach().contiguous() for name, value in network.state_dict().items()}
    tensors |= {f"extra.{name}": value.detach().contiguous() for name, value in extra.items()}
    for index, moments in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{index}.{key}": torch.as_tensor(value).contiguous() for key, value in moments.items()}
    fresh, old = folder.with_name(folder.name + ".new"), folder.with_name(folder.name + ".old")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    save_file(tensors, fresh / TENSORS)
    (fresh / STATE).write_text(json.dumps(state), encoding="utf-8")
    if folder.exists():
        shutil.rmtree(old, ignore_errors=True)
        folder.rename(old)
    fresh.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def read_state(folder: Path) -> dict[str, Any] | None:
    """Read the plain state of a checkpoint, and nothing else; None where there is none."""
    state = _present(folder) / STATE
    return dict(json.loads(state.read_text(encoding="utf-8"))) if state.is_file() else None


def load_checkpoint(folder: Path, network: nn.Module, optimiser: Optimizer) -> dict[str, Tensor]:
    """Put a checkpoint back into network and optimiser, and give its further tensors.

    Raises:
        ArtefactError: the checkpoint does not fit the network.
    """
    tensors = load_file(_present(folder) / TENSORS)
    try:
        network.load_state_dict(_under(tensors, "network."))
    except RuntimeError as error:
        raise ArtefactError("the checkpoint is of another network; remove the folder or set another `run`", path=folder) from error
    moments: dict[int, dict[str, Tensor]] = {}
    for name, value in _under(tensors, "optimiser.").items():
        index, key = name.split(".", 1)
        moments.setdefault(int(index), {})[key] = value
    form = optimiser.state_dict()
    form["state"] = moments
    optimiser.load_state_dict(form)
    return _under(tensors, "extra.")


def write_finished(run: Path, network: nn.Module) -> None:
    """Keep a finished network's weights beside its checkpoint, whose own are those before the blend, in one rename."""
    fresh = run / (FINISHED + ".new")
    save_file({name: value.detach().contiguous() for name, value in network.state_dict().items()}, fresh)
    fresh.replace(run / FINISHED)


def read_finished(run: Path) -> dict[str, Tensor] | None:
    """Read the weights that a run ended with: the finished ones, or the best of its checkpoint; None where no epoch has ended.

    Raises:
        ArtefactError: the checkpoint is broken.
    """
    try:
        return load_file(run / FINISHED) if (run / FINISHED).is_file() else read_best(run / "checkpoint")
    except SafetensorError as error:
        raise ArtefactError(f"the finished weights are broken ({error}); train again", path=run) from error


def read_best(folder: Path) -> dict[str, Tensor] | None:
    """Read the best weights of a run, without the rest of its checkpoint; None where no epoch has ended.

    Raises:
        ArtefactError: the checkpoint is broken.
    """
    present = _present(folder)
    if not (present / TENSORS).is_file():
        return None
    try:
        with safe_open(present / TENSORS, framework="pt") as tensors:
            return {name[len(BEST) :]: tensors.get_tensor(name) for name in tensors.keys() if name.startswith(BEST)} or None  # noqa: SIM118
    except SafetensorError as error:
        raise ArtefactError(f"the checkpoint is broken ({error}); train again", path=present) from error


def _present(folder: Path) -> Path:
    """The checkpoint; where a kill came between the two renames, the one before it."""
    return folder if folder.exists() else folder.with_name(folder.name + ".old")


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)}
