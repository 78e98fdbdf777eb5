"""Knowledge distillation: a small student learns what a trained teacher answers, and how it gets there.

The student is made of some of the teacher's layers (Sanh et al., 2019); it learns from the teacher's logits (Hinton et al., 2015;
as they are: Ba and Caruana, 2014), from its hidden states (Sun et al., 2019), and from the labels where there are any.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from reclamo.artefact import open_artefact
from reclamo.artefact.store import MANIFEST
from reclamo.errors import ArtefactError, BaseModelError, UsageError
from reclamo.model.exported import count_layers, read_exported, read_operations
from reclamo.model.loss import HeadsLoss
from reclamo.model.network import TaggerNetwork
from reclamo.taxonomy import Head, Taxonomy
from reclamo.training.checkpoint import FINISHED, read_finished, read_state
from reclamo.training.config import DistilConfig, TrainConfig, load_config
from reclamo.training.data import Batch


@dataclass(frozen=True, kw_only=True)
class Teacher:
    """A trained network, the name of its tagger, and the SHA-256 of its weights."""

    name: str
    fingerprint: str
    network: TaggerNetwork


def read_teacher(
    source: str, network: TaggerNetwork, taxonomy: Taxonomy | None = None, base: str | None = None, what: str = "teacher"
) -> Teacher:
    """Load the best weights of a training run, or those of a finished tagger, into a network of the same base.

    Args:
        source: the teacher's training configuration, its run folder, or the folder of a finished tagger.
        network: of the teacher's base and taxonomy, cut here to as many layers as the teacher has; it becomes the teacher.
        taxonomy, base: what the teacher must have been trained with, where its checkpoint or manifest says so.
        what: the key of [distil] that names it, for what errors say.

    Raises:
        ArtefactError: no teacher there, one whose training was cut short or had other settings, or one of another base or taxonomy; or a
            finished tagger whose weights cannot be read back.
    """
    if (Path(source) / MANIFEST).is_file():
        return _read_tagger(source, network, taxonomy, base)
    name, run, config = _place(source)
    how = f"`python train.py --config {source}`" if config else "its training"
    weights, state = read_finished(run), read_state(run / "checkpoint")
    if weights is None or state is None:
        raise ArtefactError(f"no trained network there; run {how} first, or set distil.{what} to another run folder", path=run)
    if not finished(state) or (state.get("blends") and not (run / FINISHED).is_file()):
        raise ArtefactError(f"the training of distil.{what} was cut short; run {how} to its end first", path=run)
    if config and not config.optim_used.model_dump(mode="json").items() <= state["config"].items():
        raise ArtefactError(f"distil.{what} was trained with other settings than {source} has now; run {how} again", path=run)
    known = state["config"]
    same_taxonomy = taxonomy is None or known.get("taxonomy", taxonomy.sha256) == taxonomy.sha256
    _require_same(same_taxonomy, base is None or known.get("model", {"base": base})["base"] == base, run)
    select_layers(network.encoder, range(_count_layers(weights)))
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise ArtefactError(
            "the teacher's weights have other shapes: it has another base or taxonomy than this configuration; make them the same", path=run
        ) from error
    network.eval().requires_grad_(False)
    return Teacher(name=name, fingerprint=hash_weights(weights), network=network)


def _read_tagger(source: str, network: TaggerNetwork, taxonomy: Taxonomy | None, base: str | None) -> Teacher:
    """A finished tagger's network alone, without its n-grams and calibration, as the teacher."""
    artefact = open_artefact(source)
    same_taxonomy = taxonomy is None or artefact.manifest.taxonomy_sha256 == taxonomy.sha256
    _require_same(same_taxonomy, base is None or artefact.manifest.base == base, Path(source))
    select_layers(network.encoder, range(count_layers(read_operations(artefact))))
    weights = read_exported(artefact, network)
    network.load_state_dict(weights, strict=False)  # what is no parameter is the same in every network of the base
    network.eval().requires_grad_(False)
    return Teacher(name=artefact.manifest.name, fingerprint=hash_weights(weights), network=network)


def _require_same(taxonomy: bool, base: bool, where: Path) -> None:
    if not (taxonomy and base):
        raise ArtefactError(
            "the teacher was trained with another taxonomy or base; make them the same, or train a teacher of this one", path=where
        )


def _place(source: str) -> tuple[str, Path, TrainConfig | None]:
    """The teacher's name, its run folder, and its configuration where that is what is named."""
    if not source.endswith(".toml"):
        return Path(source).name, Path(source), None
    config = load_config(source)
    return config.model.name, Path(config.run), config


def finished(state: Mapping[str, Any]) -> bool:
    """Say whether the run of a checkpoint's state came to its end: all epochs, or as many as its patience allowed."""
    config, waited = state["config"], state["epoch"] - 1 - state["history"]["best"]
    return bool(state["epoch"] >= config["epochs"] or waited >= config["patience"])


def require_own_folders(config: TrainConfig) -> None:
    """Keep a student from writing over its teacher.

    Raises:
        UsageError: the student's run or output folder is the teacher's, or that of the student it starts from.
    """
    assert config.distil is not None
    _keep_apart(config, "teacher", config.distil.teacher)
    if config.distil.start is not None:
        _keep_apart(config, "earlier student", config.distil.start)


def _keep_apart(config: TrainConfig, what: str, source: str) -> None:
    _, run, theirs = _place(source)
    if Path(config.output).resolve() == run.resolve():
        raise UsageError(f"output = {config.output!r} is the {what}; give the student an output folder of its own")
    if run.resolve() == Path(config.run).resolve():
        raise UsageError(f"run = {config.run!r} is the {what}'s; give the student a run folder of its own")
    if theirs and Path(theirs.output).resolve() == Path(config.output).resolve():
        raise UsageError(f"output = {config.output!r} is the {what}'s; give the student an output folder of its own")


def _count_layers(weights: dict[str, Tensor]) -> int:
    return 1 + max((int(name.split(".layer.")[1].split(".")[0]) for name in weights if ".layer." in name), default=-1)


def hash_weights(weights: dict[str, Tensor]) -> str:
    """SHA-256 over names and values, in the order of the names."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        digest.update(name.encode())
        digest.update(weights[name].contiguous().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def select_layers(encoder: Any, layers: Sequence[int]) -> None:
    """Keep only some layers of an encoder, in the order given. Example: 12 layers, [0, 4, 8, 11] -> 4 layers.

    Raises:
        BaseModelError: the encoder does not keep its layers in `encoder.layer`, as BERT and RoBERTa do.
        UsageError: it has no layer of such an index.
    """
    stack = getattr(getattr(encoder, "encoder", None), "layer", None)
    if stack is None:
        raise BaseModelError("this base does not keep its layers where BERT does; leave out model.layers and [distil]")
    if any(layer >= len(stack) for layer in layers):
        raise UsageError(f"there is no layer {max(layers)}: the encoder has {len(stack)} layers, numbered from 0")
    encoder.encoder.layer = torch.nn.ModuleList([stack[layer] for layer in layers])
    encoder.config.num_hidden_layers = len(layers)


class Distiller:
    """The loss of a student beside its teacher: labels, logits and hidden states, weighed."""

    def __init__(self, config: DistilConfig, teacher: Teacher, taxonomy: Taxonomy, start: Teacher | None = None) -> None:
        """Args:
            start: an earlier student, which the new one starts from; the teacher's layers otherwise.

        Raises:
            UsageError: the teacher has no such layers, or the earlier student another number of them than `config` names.
        """
        self.config = config
        self.teacher = teacher
        self.taxonomy = taxonomy
        self.start = start
        self._known: dict[tuple[int, bool], Tensor] = {}
        held = _count_layers(teacher.network.state_dict())
        if max(config.layers) >= held:
            raise UsageError(f"there is no layer {max(config.layers)}: the teacher has {held} layers, numbered from 0")
        if start is not None and (found := _count_layers(start.network.state_dict())) != len(config.layers):
            raise UsageError(f"distil.start has {found} layers and distil.layers names {len(config.layers)}; make them the same number")

    @property
    def fingerprint(self) -> dict[str, Any]:
        """What a checkpoint must have been made with to go on from it; the blend comes after training."""
        known = {**self.config.model_dump(mode="json", exclude={"blend", "start"}), "teacher": self.teacher.fingerprint}
        return known if self.start is None else {**known, "start": self.start.fingerprint}

    @property
    def blends(self) -> bool:
        """Whether the finished student's weights are others than those that training ends with."""
        return self.config.blend > 0

    @property
    def origin(self) -> dict[str, str]:
        """Where the student comes from, for its manifest."""
        known = {"name": self.teacher.name, "weights_sha256": self.teacher.fingerprint}
        return known if self.start is None else {**known, "start_sha256": self.start.fingerprint}

    def student(self, trained: Collection[str]) -> TaggerNetwork:
        """Copy the teacher with the configured layers only, or the earlier student.

        Args:
            trained: names of the teacher's parameters that are trained in a student too; the others stay as they are.
        """
        student = copy.deepcopy(self.teacher.network if self.start is None else self.start.network)
        for name, value in student.named_parameters():
            value.requires_grad = name in trained
        if self.start is None:
            select_layers(student.encoder, self.config.layers)
        return student.train()

    def blend(self, student: TaggerNetwork) -> None:
        """Mix the weights it started from into a trained student, in place: (1 - blend) * student + blend * start (Wortsman et al., 2022).

        Both lie in one basin; what lies between them carries over better to mail of other kinds than either end.
        """
        share, known = self.config.blend, dict((self.start or self.teacher).network.named_parameters())
        with torch.no_grad():
            for name, value in student.named_parameters():
                before = known[name if self.start is not None else _in_teacher(name, self.config.layers)]
                value.copy_((1 - share) * value + share * before.to(value.device))

    def __call__(
        self, network: TaggerNetwork, batch: Batch, labels: HeadsLoss, autocast: Callable[[], AbstractContextManager[Any]]
    ) -> Tensor:
        """Give the weighed loss of a batch.

        Where states are compared, the teacher reads the texts as the student does. Where they are not, it reads each as it is, once a
        training: so the student learns to answer alike however a text is altered.
        """
        teacher = self.teacher.network.to(batch.ids.device)
        if not self.config.hidden:
            wanted = self._answers(teacher, batch, autocast)
            with autocast():
                logits, _ = network(batch.ids, batch.mask)
            return self._weigh(logits.float(), wanted, batch, labels)
        with torch.no_grad(), autocast():
            wanted, wanted_states = teacher.look_inside(batch.ids, batch.mask)
        with autocast():
            logits, states = network.look_inside(batch.ids, batch.mask)
        gaps = [hidden_gap(states[k], wanted_states[layer], batch.mask) for k, layer in enumerate(self.config.layers)]
        return self._weigh(logits.float(), wanted.float(), batch, labels) + self.config.hidden * torch.stack(gaps).mean()

    def _weigh(self, logits: Tensor, wanted: Tensor, batch: Batch, labels: HeadsLoss) -> Tensor:
        total: Tensor = self.config.labels * labels(logits, batch.values, batch.asked)
        return total + self.config.logits * self.logit_gap(logits, wanted)

    def _answers(self, teacher: TaggerNetwork, batch: Batch, autocast: Callable[[], AbstractContextManager[Any]]) -> Tensor:
        """The teacher's logits of the texts as they are, (batch, n_logits); kept, since they come again in every epoch."""
        keys = [(int(row), bool(tail)) for row, tail in zip(batch.rows, batch.tails, strict=True)]
        if any(key not in self._known for key in keys):
            with torch.no_grad(), autocast():
                logits, _ = teacher(batch.plain, batch.plain_mask)
            self._known.update(zip(keys, logits.float(), strict=True))
        return torch.stack([self._known[key] for key in keys])

    def logit_gap(self, logits: Tensor, wanted: Tensor) -> Tensor:
        """Mean over the heads of how far the student's logits are from the teacher's, both (batch, n_logits); 0 where they agree."""
        measure = square_gap if self.config.kind == "mse" else self._soft
        gaps = [measure(head, logits[:, where], wanted[:, where]) for head, where in self._heads()]
        return torch.stack(gaps).mean()

    def _heads(self) -> list[tuple[Head, slice]]:
        return [(head, self.taxonomy.slices[head.name]) for head in self.taxonomy.heads]

    def _soft(self, head: Head, logits: Tensor, wanted: Tensor) -> Tensor:
        heat = self.config.temperature
        return heat**2 * soft_gap(head, logits / heat, wanted / heat)


def _in_teacher(name: str, layers: Sequence[int]) -> str:
    """The teacher's name for a student's parameter. Example: encoder.encoder.layer.1.output.dense.bias, [0, 4] -> ….layer.4.…"""
    before, mark, after = name.partition(".layer.")
    if not mark:
        return name
    number, _, rest = after.partition(".")
    return f"{before}.layer.{layers[int(number)]}.{rest}"


def square_gap(head: Head, logits: Tensor, wanted: Tensor) -> Tensor:
    """Mean square difference of a head's logits."""
    return functional.mse_loss(logits, wanted)


def soft_gap(head: Head, logits: Tensor, wanted: Tensor) -> Tensor:
    """Kullback-Leibler divergence of the student's probabilities from the teacher's.

    Of a one-of head that of its classes; of the others label by label, weighed as in `HeadsLoss`.
    """
    if head.kind == "one_of":
        return functional.kl_div(
            torch.log_softmax(logits, dim=-1), torch.log_softmax(wanted, dim=-1), log_target=True, reduction="batchmean"
        )
    sure = torch.sigmoid(wanted)
    crossed = functional.binary_cross_entropy_with_logits(logits, sure, reduction="none")
    least = functional.binary_cross_entropy_with_logits(wanted, sure, reduction="none")
    gaps = crossed - least
    return gaps.mean() if head.kind != "any_of" else gaps.sum(-1).mean() / gaps.shape[-1] ** 0.5


def hidden_gap(states: Tensor, wanted: Tensor, mask: Tensor) -> Tensor:
    """One less the cosine between token states (batch, tokens, hidden): mean over a message's tokens, then over the messages."""
    gaps = 1.0 - functional.cosine_similarity(states.float(), wanted.float(), dim=-1)
    return ((gaps * mask).sum(1) / mask.sum(1)).mean()
