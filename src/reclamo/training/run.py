"""A whole training run: base, examples, network, loop, calibration, export, parity gate."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

import reclamo
from reclamo.artefact import Artefact
from reclamo.errors import BaseModelError
from reclamo.model.base import import_base, load_base
from reclamo.model.network import TaggerNetwork
from reclamo.taxonomy import load_taxonomy
from reclamo.training.calibration import fit_calibration
from reclamo.training.config import ModelConfig, TrainConfig
from reclamo.training.data import Tokens, TrainingSet
from reclamo.training.export import parity, require_parity, update_manifest, write_artefact
from reclamo.training.ngrams import fit_linear_part
from reclamo.training.prepare import describe, draw, prepare
from reclamo.training.progress import TrainingProgress
from reclamo.training.trainer import Trainer

PARITY_TEXTS = 300


def run(config: TrainConfig) -> Artefact:
    """Train and write the tagger that a configuration describes.

    Raises:
        ReclamoError: the data, the base or the output folder is not as it should be, or the export fails the parity gate.
    """
    started = time.time()
    taxonomy = load_taxonomy(config.model.taxonomy)
    prepared = prepare(config.data, taxonomy)
    network, tokenizer = build_network(config.model, taxonomy.n_logits, config.optim.seed)
    tokens = Tokens(tokenizer, config.model.max_tokens)
    whole = TrainingSet([*prepared.train, *prepared.partial], taxonomy, tokens, config.optim.tokens_per_batch, config.optim.token_dropout)
    validation = TrainingSet(prepared.validation, taxonomy, tokens, 2 * config.optim.tokens_per_batch)
    run_folder = Path(config.run)
    partial = range(len(prepared.train), len(whole.examples))
    with TrainingProgress(run_folder, describe(prepared)) as progress:
        trainer = Trainer(
            network,
            taxonomy,
            whole,
            validation,
            config.optim,
            run=run_folder,
            partial=(partial, config.data.partial_weight),
            progress=progress,
        )
        history = trainer.fit()
        logits = trainer.logits(validation)
        linear = None
        if config.ngrams.enabled:
            rows = [*prepared.train, *prepared.partial]
            linear = fit_linear_part(taxonomy, rows, prepared.validation, logits, config.ngrams, progress)
            logits = logits * linear.network_scale + np.stack([linear.logits(example.text) for example in prepared.validation])
    calibration = fit_calibration(taxonomy, logits, validation.targets)
    about = {
        "name": config.model.name,
        "base": config.model.base,
        "max_tokens": longest_input(network),
        "training": {
            "config": config.fingerprint,
            "data": prepared.files,
            "examples": {"train": len(prepared.train), "validation": len(prepared.validation), "partial": len(prepared.partial)},
            "history": history.epochs,
            "best_epoch": history.best,
            "seconds": round(time.time() - started, 1),
            "versions": {"reclamo": reclamo.__version__, "torch": str(torch.__version__)},
        },
    }
    samples = [example.text for example in draw(prepared.train, config.model.int8_samples)] if config.model.int8_samples else []
    artefact = write_artefact(
        Path(config.output),
        network,
        tokenizer,
        taxonomy,
        calibration,
        about,
        compress=config.model.compress,
        linear=linear,
        samples=samples,
    )
    figures = parity(network, artefact, [example.text for example in prepared.validation][:PARITY_TEXTS])
    require_parity(figures)
    return update_manifest(artefact, metrics={"parity": figures})


def keep_layers(encoder: Any, layers: int) -> None:
    """Cut an encoder to its first layers.

    Raises:
        BaseModelError: the encoder does not keep its layers in `encoder.layer`, as BERT and RoBERTa do.
    """
    stack = getattr(getattr(encoder, "encoder", None), "layer", None)
    if stack is None:
        raise BaseModelError("this base does not keep its layers where BERT does; leave out model.layers")
    encoder.encoder.layer = stack[:layers]
    encoder.config.num_hidden_layers = layers


def longest_input(network: TaggerNetwork) -> int:
    """The most tokens that the encoder reads at once, and at most 512."""
    config: Any = network.encoder.config
    return min(512, int(getattr(config, "max_position_embeddings", 512)))


def build_network(config: ModelConfig, labels: int, seed: int) -> tuple[TaggerNetwork, Any]:
    """Load the base and put heads on it; the default base is imported first where it is not there yet.

    Returns:
        the network and its fast tokenizer.
    """
    base = Path(config.base)
    if config.vocabulary and not base.exists() and base.parent == Path("base"):
        import_base(base, keep=read_vocabulary(Path(config.vocabulary)))
    torch.manual_seed(seed)
    encoder, tokenizer = load_base(config.base)
    if config.layers:
        keep_layers(encoder, config.layers)
    for name in ("hidden_dropout_prob", "attention_probs_dropout_prob"):
        if hasattr(encoder.config, name):
            setattr(encoder.config, name, config.encoder_dropout)
    for module in encoder.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = config.encoder_dropout
    if config.freeze_embeddings:
        encoder.get_input_embeddings().weight.requires_grad = False
    return TaggerNetwork(encoder, labels, config.dropout), tokenizer


def read_vocabulary(path: Path) -> list[str]:
    """Read a list of pieces, one a line.

    Raises:
        BaseModelError: the file is missing.
    """
    try:
        return path.read_text(encoding="utf-8").split("\n")
    except OSError as error:
        raise BaseModelError(f"cannot be read ({error.strerror}); give a list of pieces, or none to keep them all", path=path) from error
