"""A whole training run: base, examples, network, loop, n-grams, export, calibration, parity gate."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import reclamo
from reclamo.artefact import Artefact, Calibration
from reclamo.artefact.store import replace_artefact, require_free
from reclamo.corpus import Example, encode_targets
from reclamo.engine.ngrams import LinearPart
from reclamo.engine.tagger import Options, Tagger
from reclamo.errors import BaseModelError, UsageError
from reclamo.model.base import import_base, load_base
from reclamo.model.network import TaggerNetwork
from reclamo.taxonomy import Taxonomy, load_taxonomy
from reclamo.training.calibration import fit_calibration, uncalibrated
from reclamo.training.checkpoint import FINISHED, write_finished
from reclamo.training.config import ModelConfig, NGramsConfig, TrainConfig
from reclamo.training.data import Tokens, TrainingSet
from reclamo.training.distil import Distiller, read_teacher, require_own_folders, select_layers
from reclamo.training.export import keeps_parity, parity, require_parity, update_manifest, write_artefact
from reclamo.training.ngrams import fit_linear_part
from reclamo.training.prepare import Prepared, as_the_tagger_reads, describe, draw, prepare
from reclamo.training.progress import TrainingProgress
from reclamo.training.trainer import History, Progress, Trainer

log = logging.getLogger("reclamo")
PARITY_TEXTS = 300


@dataclass(frozen=True, kw_only=True)
class Start:
    """What training starts from: the network and its tokenizer, and the teacher's loss where there is a teacher."""

    network: TaggerNetwork
    tokenizer: Any
    distiller: Distiller | None


def run(config: TrainConfig) -> Artefact:
    """Train and write the tagger that a configuration describes.

    Raises:
        ReclamoError: the data, the base, the teacher or the output folder is not as it should be, or the export fails the parity gate.
    """
    started = time.time()
    output = Path(config.output)
    if Path(config.model.base).resolve() == output.resolve():
        raise UsageError(f"output = {config.output!r} is the base; give the tagger an output folder of its own")
    require_free(output)  # now, and not after hours of training
    taxonomy = load_taxonomy(config.model.taxonomy)
    prepared = as_the_tagger_reads(prepare(config.data, taxonomy), taxonomy)
    start = make_start(config, taxonomy)
    (Path(config.run) / FINISHED).unlink(missing_ok=True)  # of an earlier training
    with TrainingProgress(Path(config.run), describe(prepared)) as progress:
        trainer = make_trainer(config, taxonomy, start, prepared, progress)
        history = trainer.fit()
        if start.distiller is not None:
            start.distiller.blend(start.network)
        write_finished(Path(config.run), start.network)
        assert trainer.validation is not None
        linear = fit_ngrams(taxonomy, prepared, trainer.logits(trainer.validation), config.ngrams, progress)
    seconds = time.time() - started

    def export(*, compress: bool) -> tuple[Artefact, dict[str, float]]:
        beside = output.with_name(output.name + ".new")
        shutil.rmtree(beside, ignore_errors=True)  # of a run that was stopped here
        artefact = write_artefact(
            beside,
            start.network,
            start.tokenizer,
            taxonomy,
            uncalibrated(taxonomy),
            describe_tagger(config, start, prepared, history, seconds),
            compress=compress,
            linear=linear,
            samples=[example.text for example in draw(prepared.train, config.model.int8_samples)] if config.model.int8_samples else [],
        )
        artefact = update_manifest(artefact, calibration=calibrate_as_served(artefact, prepared.validation))
        return artefact, parity(start.network, artefact, [example.text for example in prepared.validation][:PARITY_TEXTS])

    artefact, figures = export(compress=config.model.compress)
    if config.model.compress and not config.model.int8_samples and not keeps_parity(figures):
        log.warning("in 8 bits the probabilities are off by %.4f on the mean: the weights are kept in 16 bits", figures["mean"])
        artefact, figures = export(compress=False)
    require_parity(figures)
    return replace_artefact(update_manifest(artefact, metrics={"parity": figures}), output)


def calibrate_as_served(artefact: Artefact, validation: Sequence[Example]) -> Calibration:
    """Fit temperatures, biases and thresholds on what the engine gives: weights rounded, long messages in windows."""
    logits = Tagger(artefact, Options(evidence=False)).logits([example.text for example in validation])
    return fit_calibration(artefact.taxonomy, logits, encode_targets(validation, artefact.taxonomy))


def make_start(config: TrainConfig, taxonomy: Taxonomy) -> Start:
    """Build the network: from the base, from layers of the teacher, or from an earlier student."""
    if config.distil:
        require_own_folders(config)
    network, tokenizer = build_network(config.model, taxonomy.n_logits, config.optim.seed)
    if config.distil is None:
        return Start(network=network, tokenizer=tokenizer, distiller=None)
    trained = {name for name, value in network.named_parameters() if value.requires_grad}
    known, start = (taxonomy, config.model.base), None
    if config.distil.start is not None:
        another, _ = build_network(config.model, taxonomy.n_logits, config.optim.seed)
        start = read_teacher(config.distil.start, another, *known, "start")
    distiller = Distiller(config.distil, read_teacher(config.distil.teacher, network, *known), taxonomy, start)
    return Start(network=distiller.student(trained), tokenizer=tokenizer, distiller=distiller)


def make_trainer(config: TrainConfig, taxonomy: Taxonomy, start: Start, prepared: Prepared, progress: Progress) -> Trainer:
    """Put the examples into batches and the network before them."""
    tokens = Tokens(start.tokenizer, min(config.model.max_tokens, longest_input(start.network)))
    size = config.optim.tokens_per_batch
    drawn = [*prepared.partial, *prepared.unlabelled]
    whole = TrainingSet([*prepared.train, *drawn], taxonomy, tokens, size, config.optim.token_dropout)
    return Trainer(
        start.network,
        taxonomy,
        whole,
        TrainingSet(prepared.validation, taxonomy, tokens, 2 * size),
        config.optim_used,
        run=Path(config.run),
        partial=(range(len(prepared.train), len(whole.examples)), config.data.partial_weight),
        objective=start.distiller,
        identity={
            "data": prepared.digest,
            "partial_weight": config.data.partial_weight,
            "taxonomy": taxonomy.sha256,
            "model": config.model.model_dump(mode="json"),
        },
        progress=progress,
    )


def fit_ngrams(
    taxonomy: Taxonomy, prepared: Prepared, logits: NDArray[np.float32], config: NGramsConfig, progress: Progress
) -> LinearPart | None:
    """Fit the n-grams beside the network, if any are wanted.

    Args:
        logits: of the network on the validation messages, (messages, n_logits).
    """
    if not config.enabled:
        return None
    return fit_linear_part(taxonomy, [*prepared.train, *prepared.partial], prepared.validation, logits, config, progress)


def describe_tagger(config: TrainConfig, start: Start, prepared: Prepared, history: History, seconds: float) -> dict[str, Any]:
    """Say what the manifest tells of a tagger and its training."""
    training = {
        "config": config.fingerprint,
        "data": prepared.files,
        "examples": prepared.counts,
        "history": history.epochs,
        "best_epoch": history.best,
        "seconds": round(seconds, 1),
        "versions": {"reclamo": reclamo.__version__, "torch": str(torch.__version__)},
    }
    if start.distiller is not None:
        training["distilled_from"] = start.distiller.origin
    longest = longest_input(start.network)
    return {"name": config.model.name, "base": config.model.base, "max_tokens": longest, "training": training}


def longest_input(network: TaggerNetwork) -> int:
    """The most tokens that the encoder reads at once, and at most 512."""
    config: Any = network.encoder.config
    return min(512, int(getattr(config, "max_position_embeddings", 512)))


def build_network(config: ModelConfig, labels: int, seed: int) -> tuple[TaggerNetwork, Any]:
    """Load the base and put heads on it; the default base is imported first where it is not there yet.

    Returns:
        the network and its fast tokenizer.
    """
    import_missing_base(config.base, config.vocabulary)
    torch.manual_seed(seed)
    encoder, tokenizer = load_base(config.base)
    if config.layers:
        select_layers(encoder, range(config.layers))
    for name in ("hidden_dropout_prob", "attention_probs_dropout_prob"):
        if hasattr(encoder.config, name):
            setattr(encoder.config, name, config.encoder_dropout)
    for module in encoder.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = config.encoder_dropout
    if config.freeze_embeddings:
        encoder.get_input_embeddings().weight.requires_grad = False
    return TaggerNetwork(encoder, labels, config.dropout), tokenizer


def import_missing_base(base: str, vocabulary: str | None) -> None:
    """Import the default base, its vocabulary trimmed, where it is named and not there yet."""
    target = Path(base)
    if vocabulary and not target.exists() and target.parent == Path("base"):
        import_base(target, keep=read_vocabulary(Path(vocabulary)))


def read_vocabulary(path: Path) -> list[str]:
    """Read a list of pieces, one a line.

    Raises:
        BaseModelError: the file is missing.
    """
    try:
        return path.read_text(encoding="utf-8").split("\n")
    except OSError as error:
        said = f"cannot be read ({error.strerror}); give model.vocabulary a list of pieces, such as data/vocabulary.txt of a clone"
        raise BaseModelError(f"{said}, or none to keep them all", path=path) from error
