"""From a configuration to examples: what is trained on, what validates, and what was left out."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from reclamo.corpus import Example, read_corpus
from reclamo.corpus.example import parse_labels
from reclamo.corpus.overlap import Shingled
from reclamo.errors import CorpusError
from reclamo.taxonomy import Taxonomy
from reclamo.text import clean_text
from reclamo.text.language import is_greeklish_text
from reclamo.text.transliterate import transliterate
from reclamo.training.config import DataConfig, LabelsConfig, PartialConfig, UnlabelledConfig

log = logging.getLogger("reclamo")


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Examples of a training run, with the hash of every file read."""

    train: list[Example]
    validation: list[Example]
    partial: list[Example]
    unlabelled: list[Example]
    files: dict[str, str]

    @property
    def counts(self) -> dict[str, int]:
        """How many examples of each kind."""
        return {name: len(rows) for name, rows in self.kinds.items()}

    @property
    def digest(self) -> str:
        """SHA-256 of all texts and labels, in their order."""
        found = hashlib.sha256()
        for rows in self.kinds.values():
            found.update(repr([(one.text, sorted(one.labels.items())) for one in rows]).encode())
        return found.hexdigest()

    @property
    def kinds(self) -> dict[str, list[Example]]:
        """The examples of each kind."""
        return {"train": self.train, "validation": self.validation, "partial": self.partial, "unlabelled": self.unlabelled}


def prepare(config: DataConfig, taxonomy: Taxonomy) -> Prepared:
    """Read everything that a configuration names. Rows of the test split are never returned.

    Raises:
        CorpusError: a file breaks a rule, or there is nothing to train on.
    """
    corpus = read_corpus(config.corpus, taxonomy)
    train = [example for example in corpus if example.split in (None, "train")]
    validation = [example for example in corpus if example.split == "validation"]
    extra = _present(config.extra_train)
    more = [(read_corpus(extra, taxonomy) if extra else [], config.extra_validation_share)]
    more += [(join_labels(source, taxonomy), source.validation_share) for source in config.extra_labels]
    held: list[Example] = []
    for examples, share in more:
        for example in examples:
            (held if held_out(example, share) else train).append(example)
    trained = Shingled([example.text for example in train])
    for example in held:  # what says the same as a training message would tell nothing new: it trains too
        (train if trained.holding(example.text) else validation).append(example)
    partial_files = _present([source.path for source in config.extra_partial])
    partial = [example for source in config.extra_partial if source.path in partial_files for example in read_partial(source, taxonomy)]
    if not train:
        raise CorpusError("no row to train on: every row is of the validation or test split", path=config.corpus[0])
    unlabelled_files = _present([source.path for source in config.extra_unlabelled])
    unlabelled = [one for source in config.extra_unlabelled if source.path in unlabelled_files for one in read_unlabelled(source)]
    measured = [str(row.get("text") or "") for path in _present(config.exclude) for row in _rows(path)]
    measured += [example.text for example in corpus if example.split == "test"]
    train, validation, partial, unlabelled = (without_copies(rows, measured) for rows in (train, validation, partial, unlabelled))
    partial = without(partial, {fold(example.text) for example in (*train, *validation)}, "labelled in full elsewhere")
    seen = {fold(example.text) for example in (*corpus, *train, *validation, *partial)}
    unlabelled = without(unlabelled, seen, "in the labelled data already")
    train, partial, unlabelled = (draw(rows, round(config.fraction * len(rows))) for rows in (train, partial, unlabelled))
    if config.limit:
        train, validation = (draw(rows, config.limit) for rows in (train, validation))
    if not validation:
        train, validation = split_off(train, 0.12)
    labels = [source.labels for source in config.extra_labels]
    files = _hashes([*config.corpus, *extra, *labels, *partial_files, *unlabelled_files])
    return Prepared(train=train, validation=validation, partial=partial, unlabelled=unlabelled, files=files)


def read_partial(source: PartialConfig, taxonomy: Taxonomy) -> list[Example]:
    """Read rows that carry one head only; rows whose value is not mapped, or without text, are left out and counted."""
    found, left_out = [], 0
    for number, row in enumerate(_rows(source.path), 1):
        value = source.values.get(str(row.get(source.column)))
        text = clean_text(str(row.get("text") or ""))
        if value is None or not text:
            left_out += 1
            continue
        labels = parse_labels({source.head: value}, taxonomy)
        found.append(Example(id=f"{Path(source.path).stem}-{number}", text=text, lang=source.lang, labels=labels))
    if left_out:
        log.warning("%s: %d of %d rows left out (no mapped value or no text)", source.path, left_out, left_out + len(found))
    return found


def read_unlabelled(source: UnlabelledConfig) -> list[Example]:
    """Read texts that carry no label, each once; rows without text are left out and counted.

    Raises:
        CorpusError: a line is no JSON object, or none has the column.
    """
    rows = _rows(source.path)
    if rows and not any(source.column in row for row in rows):
        raise CorpusError(f"no row has the column {source.column!r}; name the one that holds the text", path=source.path)
    texts = {fold(text): text for row in rows if (text := clean_text(str(row.get(source.column) or "")))}
    if len(texts) < len(rows):
        log.warning("%s: %d of %d rows left out (no text, or the same again)", source.path, len(rows) - len(texts), len(rows))
    stem = Path(source.path).stem
    found = [Example(id=f"{stem}-{number}", text=text, lang=None, labels={}) for number, text in enumerate(texts.values())]
    return draw(found, round(source.share * len(found)))


def join_labels(source: LabelsConfig, taxonomy: Taxonomy) -> list[Example]:
    """Join labels to texts by the SHA-256 of the text; labels whose text is not at hand are left out and counted."""
    texts = {
        hashlib.sha256(str(row["text"]).encode()).hexdigest(): str(row["text"]) for path in _present(source.texts) for row in _rows(path)
    }
    found, left_out = [], 0
    for row in _rows(source.labels):
        text = texts.get(row["sha256"])
        if text is None:
            left_out += 1
            continue
        labels = parse_labels({**row["labels"], "role": row["role"]}, taxonomy)
        found.append(Example(id=row["sha256"][:16], text=clean_text(text), lang=row["lang"], labels=labels, meta={"source": row["source"]}))
    if left_out:
        log.warning("%s: %d of %d labels left out (their texts are not at hand)", source.labels, left_out, left_out + len(found))
    return found


def _rows(path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    with Path(path).open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                row = json.loads(line) if line.strip() else {}
            except ValueError as error:
                raise CorpusError(f"line {number} is not JSON ({error}); mend it or take it out", path=path) from error
            if not isinstance(row, dict):
                raise CorpusError(f"line {number} is no JSON object; expected one a line", path=path)
            found += [row] if row else []
    return found


def draw(examples: list[Example], limit: int) -> list[Example]:
    """Draw `limit` examples by the hash of their group: the same on every machine, a smaller draw within a larger one."""
    if limit >= len(examples):
        return examples
    ranked = sorted(examples, key=lambda example: hashlib.sha256(example.group.encode()).hexdigest())
    return ranked[:limit]


def fold(text: str) -> str:
    """What counts as the same text: its letters and digits, small."""
    return "".join(ch for ch in text.casefold() if ch.isalnum())


def without(examples: list[Example], texts: set[str], why: str) -> list[Example]:
    """Leave out examples whose text is among `texts` (folded), and say how many, and why."""
    kept = [example for example in examples if fold(example.text) not in texts]
    if len(kept) < len(examples):
        log.warning("%d messages left out: their texts are %s", len(examples) - len(kept), why)
    return kept


def without_copies(examples: list[Example], measured: Sequence[str]) -> list[Example]:
    """Leave out examples that hold a text kept for measuring, wholly or for the most part, such as the same stock reply."""
    held = Shingled([example.text for example in examples])
    copies = {row for text in measured for row in held.holding(clean_text(text))}
    if copies:
        log.warning("%d messages left out: they hold a text kept for measuring", len(copies))
    return [example for row, example in enumerate(examples) if row not in copies]


def as_the_tagger_reads(prepared: Prepared, taxonomy: Taxonomy) -> Prepared:
    """Put Greeklish messages into Greek letters, as the tagger will read them."""
    if "el" not in taxonomy.languages:
        return prepared
    return Prepared(**{name: [_in_greek(example) for example in rows] for name, rows in prepared.kinds.items()}, files=prepared.files)


def _in_greek(example: Example) -> Example:
    if example.lang not in (None, "el") or not is_greeklish_text(example.text):
        return example
    return replace(example, text=transliterate(example.text).text)


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
    return json.dumps(prepared.counts)
