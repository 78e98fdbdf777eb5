"""From a configuration to examples: what is trained on, what validates, and what was left out."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reclamo.corpus import Example, read_corpus
from reclamo.errors import CorpusError
from reclamo.taxonomy import Taxonomy
from reclamo.training.config import DataConfig

log = logging.getLogger("reclamo")


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Examples of a training run, with the hash of every file read."""

    train: list[Example]
    validation: list[Example]
    partial: list[Example]
    files: dict[str, str]


def prepare(config: DataConfig, taxonomy: Taxonomy) -> Prepared:
    """Read everything that a configuration names. Rows of the test split are never returned.

    Raises:
        CorpusError: a file breaks a rule, or there is nothing to train on.
    """
    corpus = read_corpus(config.corpus, taxonomy)
    train = [example for example in corpus if example.split in (None, "train")]
    validation = [example for example in corpus if example.split == "validation"]
    extra = _present(config.extra_train)
    for example in read_corpus(extra, taxonomy) if extra else []:
        (validation if held_out(example, config.extra_validation_share) else train).append(example)
    partial_files = _present(config.extra_partial)
    partial = read_corpus(partial_files, taxonomy) if partial_files else []
    if not train:
        raise CorpusError("no row to train on: every row is of the validation or test split", path=config.corpus[0])
    if not validation:
        train, validation = split_off(train, 0.12)
    return Prepared(train=train, validation=validation, partial=partial, files=_hashes([*config.corpus, *extra, *partial_files]))


def held_out(example: Example, share: float) -> bool:
    """Decide by a hash of the group whether an example validates: the same on every machine."""
    digest = hashlib.sha256(example.group.encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32 < share


def split_off(examples: Sequence[Example], share: float) -> tuple[list[Example], list[Example]]:
    """Hold out a share of a corpus that names no splits, whole groups together."""
    kept = [example for example in examples if not held_out(example, share)]
    return kept, [example for example in examples if held_out(example, share)]


def _present(paths: Sequence[str]) -> list[str]:
    found = []
    for path in paths:
        if Path(path).exists():
            found.append(path)
        else:
            log.warning("%s is not there and is left out", path)
    return found


def _hashes(paths: Sequence[str]) -> dict[str, str]:
    files: dict[str, str] = {}
    for path in map(Path, paths):
        for file in sorted(path.glob("*.jsonl")) if path.is_dir() else [path]:
            files[file.name] = hashlib.sha256(file.read_bytes()).hexdigest()
    return files


def describe(prepared: Prepared) -> str:
    """One line of counts."""
    return json.dumps({"train": len(prepared.train), "validation": len(prepared.validation), "partial": len(prepared.partial)})
