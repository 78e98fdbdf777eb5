"""Our trainer beside the plain one of transformers: the same network, messages, loss and optimiser; one epoch each."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from reclamo.bench.systems import random_network
from reclamo.bench.work import read_shape
from reclamo.corpus import Example, read_corpus
from reclamo.engine import Tagger
from reclamo.engine.tagger import load
from reclamo.model.loss import HeadsLoss
from reclamo.model.network import TaggerNetwork
from reclamo.taxonomy import Taxonomy
from reclamo.training.config import OptimConfig
from reclamo.training.data import Tokens, TrainingSet
from reclamo.training.trainer import Trainer

PLAIN_BATCH: Final = 32
MAX_TOKENS: Final = 256


def train_once(ask: dict[str, Any]) -> float:
    """Train for one epoch; give the seconds of it, without loading.

    Args:
        ask: `model` (a tagger's folder, for shape and tokenizer), `data`, `examples` (how many), `trainer`, `threads`.
    """
    torch.set_num_threads(ask["threads"])
    tagger = load(ask["model"])
    examples = [e for e in read_corpus([ask["data"]], tagger.taxonomy) if e.split == "train"][: ask["examples"]]
    network = random_network(read_shape(tagger.artefact.network, tagger.taxonomy.n_logits), "eager")
    network.encoder.get_input_embeddings().weight.requires_grad = False
    return TRAINERS[ask["trainer"]](network, training_set(examples, tagger), tagger.taxonomy)


def training_set(examples: list[Example], tagger: Tagger) -> TrainingSet:
    """Tokenise examples as the trainer does."""
    from transformers import PreTrainedTokenizerFast

    fast = PreTrainedTokenizerFast(tokenizer_file=str(tagger.artefact.tokenizer), pad_token="<pad>", unk_token="<unk>")
    return TrainingSet(examples, tagger.taxonomy, Tokens(fast, MAX_TOKENS), OptimConfig().tokens_per_batch)


def _ours(network: TaggerNetwork, data: TrainingSet, taxonomy: Taxonomy) -> float:
    trainer = Trainer(network, taxonomy, data, None, OptimConfig(epochs=1, warm_start=False, average=0.0, augment=0.0))
    started = time.perf_counter()
    trainer.fit()
    return time.perf_counter() - started


class _WithLoss(nn.Module):
    """The network in the form that the plain trainer wants: a loss from keyword arguments."""

    def __init__(self, network: TaggerNetwork, loss: HeadsLoss) -> None:
        super().__init__()
        self.network = network
        self.loss = loss

    def forward(self, input_ids: Tensor, attention_mask: Tensor, values: Tensor, asked: Tensor) -> dict[str, Tensor]:
        logits, _ = self.network(input_ids, attention_mask)
        return {"loss": self.loss(logits.float(), values, asked)}


def _plain(network: TaggerNetwork, data: TrainingSet, taxonomy: Taxonomy, *, bf16: bool) -> float:
    from transformers import Trainer as PlainTrainer
    from transformers import TrainingArguments

    framed = [data.tokens.frame(ids) for ids in data.tokens.encode([example.text for example in data.examples])]
    rows: list[dict[str, Any]] = [
        {"ids": ids, "values": torch.from_numpy(data.targets.values[k]), "asked": torch.from_numpy(data.targets.mask[k])}
        for k, ids in enumerate(framed)
    ]
    model = _WithLoss(network, HeadsLoss(taxonomy, data.targets, cap=4.0, smoothing=0.02))
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=str(Path(folder)), num_train_epochs=1, per_device_train_batch_size=PLAIN_BATCH, bf16=bf16, report_to=[],
            use_cpu=not torch.cuda.is_available(), save_strategy="no", remove_unused_columns=False, disable_tqdm=True,
            logging_strategy="no", dataloader_pin_memory=False,
        )  # fmt: skip
        trainer = PlainTrainer(
            model=model, args=arguments, train_dataset=rows, data_collator=lambda batch: _collate(batch, data.tokens.pad)
        )
        started = time.perf_counter()
        trainer.train()
        return time.perf_counter() - started


def _collate(batch: list[dict[str, Any]], pad: int) -> dict[str, Tensor]:
    """Pad to the longest of the batch, as the plain trainer's own collator does."""
    ids = nn.utils.rnn.pad_sequence([torch.tensor(row["ids"]) for row in batch], batch_first=True, padding_value=pad)
    mask = nn.utils.rnn.pad_sequence([torch.ones(len(row["ids"]), dtype=torch.long) for row in batch], batch_first=True)
    stacked = {name: torch.stack([row[name] for row in batch]) for name in ("values", "asked")}
    return {"input_ids": ids, "attention_mask": mask, **stacked}


TRAINERS: Final[dict[str, Callable[[TaggerNetwork, TrainingSet, Taxonomy], float]]] = {
    "reclamo": _ours,
    "Trainer, bf16": lambda network, data, taxonomy: _plain(network, data, taxonomy, bf16=True),
    "Trainer": lambda network, data, taxonomy: _plain(network, data, taxonomy, bf16=False),
}
