"""From a configuration to examples: what is trained on, what validates, and what was left out."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from reclamo.corpus import Example, read_corpus
from reclamo.corpus.example import parse_labels
from reclamo.corpus.overlap import Shingled
from reclamo.corpus.readers import corpus_files, raw_labels, utf8
from reclamo.errors import CorpusError, UsageError
from reclamo.taxonomy import Taxonomy
from reclamo.text import clean_text
from reclamo.text.language import is_greeklish_text
from reclamo.text.transliterate import transliterate
from reclamo.training.config import DataConfig, LabelsConfig, PartialConfig, UnlabelledConfig

NO_WORD: Final = re.compile(r"[\W_]+")  # \w is what str.isalnum says, and the underscore
AMPLE: Final = 20  # times the limit: enough to validate with a share of it, and to leave out copies
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

    A row of the corpus or of `extra_train` that names its split goes there. Rows of `extra_train` and `extra_labels` without one
    are held out in their share by a hash; where nothing validates then, a share of the training rows does.

    Raises:
        CorpusError: a file breaks a rule, or there is nothing to train on or to validate with.
    """
    corpus = read_corpus(config.corpus, taxonomy)
    extra = _present(config.extra_train)
    more = read_corpus(extra, taxonomy) if extra else []
    labels_files = _present([source.labels for source in config.extra_labels])
    joined = [
        (one, source.validation_share)
        for source in config.extra_labels
        if source.labels in labels_files
        for one in join_labels(source, taxonomy)
    ]
    train = [example for example in corpus if example.split in (None, "train")] + [example for example in more if example.split == "train"]
    validation = [example for example in (*corpus, *more) if example.split == "validation"]
    held: list[Example] = []
    for example, share in [(example, config.extra_validation_share) for example in more if example.split is None] + joined:
        (held if held_out(example, share) else train).append(example)
    trained = Shingled([example.text for example in train] if held else ())
    for example in held:  # what says the same as a training message would tell nothing new: it trains too
        (train if trained.holding(example.text) else validation).append(example)
    partial_files = _present([source.path for source in config.extra_partial])
    partial = [example for source in config.extra_partial if source.path in partial_files for example in read_partial(source, taxonomy)]
    if not train:
        raise CorpusError("no row to train on: every row is of the validation or test split", path=config.corpus[0])
    if config.limit:  # a trial need not compare all that it will not draw; what is drawn below is the same
        train, validation = (draw(rows, AMPLE * config.limit) for rows in (train, validation))
    unlabelled_files = _present([source.path for source in config.extra_unlabelled])
    unlabelled = [one for source in config.extra_unlabelled if source.path in unlabelled_files for one in read_unlabelled(source)]
    measured = [text for path in _present(config.exclude) for text in _measured_texts(path)]
    measured += [example.text for example in (*corpus, *more) if example.split == "test"]
    train, validation, partial, unlabelled = (without_copies(rows, measured) for rows in (train, validation, partial, unlabelled))
    partial = without(partial, {fold(example.text) for example in (*train, *validation)}, "labelled in full elsewhere")
    seen = {fold(example.text) for example in (*corpus, *train, *validation, *partial)}
    unlabelled = without(unlabelled, seen, "in the labelled data already")
    if not validation:
        train, validation = split_off(train, 0.12)
    train, partial, unlabelled = (draw(rows, round(config.fraction * len(rows))) for rows in (train, partial, unlabelled))
    if config.limit:
        train, validation = (draw(rows, config.limit) for rows in (train, validation))
    _require_both(train, validation, config)
    _require_labels({"train": [*train, *partial], "validation": validation}, taxonomy, config)
    files = file_hashes([*config.corpus, *extra, *labels_files, *partial_files, *unlabelled_files])
    return Prepared(train=train, validation=validation, partial=partial, unlabelled=unlabelled, files=files)


def _require_both(train: Sequence[Example], validation: Sequence[Example], config: DataConfig) -> None:
    """Refuse data with which no training can be run, and warn of validation messages that are trained on too."""
    for name, rows, other in (("train", train, validation), ("validation", validation, train)):
        if not rows:
            raise CorpusError(
                f"no message is left for {name} (for the other there are {len(other)}): give rows the split {name!r}, or more rows, "
                "and look at data.exclude, data.fraction and data.limit",
                path=config.corpus[0],
            )
    texts = {fold(example.text) for example in train}
    if twice := sum(fold(example.text) in texts for example in validation):
        log.warning("%d of %d validation messages stand among the training messages with the same text", twice, len(validation))


def _require_labels(rows: Mapping[str, Sequence[Example]], taxonomy: Taxonomy, config: DataConfig) -> None:
    """Refuse data without any label to learn, and warn of heads that no message tells anything of."""
    known = {split: {head for example in examples for head in example.labels} for split, examples in rows.items()}
    if not known["train"]:
        said = f"no message to train on has a label; expected columns named {', '.join(taxonomy.by_name)}, or an object `labels`"
        raise CorpusError(said, path=config.corpus[0])
    for split, heads in known.items():
        if missing := [head for head in taxonomy.by_name if head not in heads]:
            log.warning("no message for %s has a label of %s: nothing is known of it then", split, ", ".join(missing))


def read_partial(source: PartialConfig, taxonomy: Taxonomy) -> list[Example]:
    """Read rows that carry one head only; rows whose value is not mapped, or without text, are left out and counted.

    Raises:
        UsageError: the configuration names a head or a label that the taxonomy does not have.
        CorpusError: a line is no JSON object.
    """
    for label in source.values.values():
        try:
            parse_labels({source.head: label}, taxonomy)
        except ValueError as error:
            raise UsageError(f"data.extra_partial: {error}", path=source.path) from error
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
    return draw(found, round(source.share * len(found)), salt="")  # nothing of these is held out


def join_labels(source: LabelsConfig, taxonomy: Taxonomy) -> list[Example]:
    """Join labels to texts by the SHA-256 of the text; labels whose text is not at hand are left out and counted.

    Raises:
        CorpusError: a line of the labels has no hash or no labels, or breaks a rule of the taxonomy.
    """
    found_texts = [str(row["text"]) for path in _present(source.texts) for row in _rows(path) if row.get("text")]
    texts = {hashlib.sha256(text.encode()).hexdigest(): text for text in found_texts}
    found, left_out = [], 0
    for number, row in _numbered(source.labels):
        digest = row.get("sha256")
        if not isinstance(digest, str) or not isinstance(row.get("labels"), dict):
            said = "needs sha256, of the text, and labels, an object"
            raise CorpusError(f"{said}; the row has {', '.join(map(str, row))}", path=source.labels, line=number)
        text = texts.get(digest)
        if text is None:
            left_out += 1
            continue
        try:
            labels = parse_labels(raw_labels(row, taxonomy), taxonomy)
        except ValueError as error:
            raise CorpusError(str(error), path=source.labels, line=number) from error
        meta = {"source": str(row["source"])} if row.get("source") else {}
        found.append(Example(id=digest[:16], text=clean_text(text), lang=row.get("lang"), labels=labels, meta=meta))
    if left_out:
        log.warning("%s: %d of %d labels left out (their texts are not at hand)", source.labels, left_out, left_out + len(found))
    return found


def _measured_texts(path: str) -> list[str]:
    rows = _rows(path)
    if rows and not any("text" in row for row in rows):
        said = "no row has the column 'text', so none of its texts would be kept out of training; rename the one that holds it"
        raise CorpusError(said, path=path)
    return [str(row.get("text") or "") for row in rows]


def _rows(path: str) -> list[dict[str, Any]]:
    return [row for _, row in _numbered(path)]


def _numbered(path: str) -> list[tuple[int, dict[str, Any]]]:
    found: list[tuple[int, dict[str, Any]]] = []
    with utf8(Path(path)), Path(path).open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                row = json.loads(line) if line.strip() else {}
            except ValueError as error:
                raise CorpusError(f"line {number} is not JSON ({error}); mend it or take it out", path=path) from error
            if not isinstance(row, dict):
                raise CorpusError(f"line {number} is no JSON object; expected one a line", path=path)
            found += [(number, row)] if row else []
    return found


def draw(examples: list[Example], limit: int, salt: str = "draw ") -> list[Example]:
    """Draw `limit` examples by a hash of their group: the same on every machine, a smaller draw within a larger one.

    The salt makes it independent of `held_out`, which goes by the plain hash: what is held out would else be what is drawn.
    """
    if limit >= len(examples):
        return examples
    ranked = sorted(examples, key=lambda example: hashlib.sha256((salt + example.group).encode()).hexdigest())
    return ranked[:limit]


def fold(text: str) -> str:
    """What counts as the same text: its letters and digits, small; of a text without any, such as "👍", all that is there."""
    return NO_WORD.sub("", text.casefold()) or text.strip()


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


def file_hashes(paths: Sequence[str]) -> dict[str, str]:
    """SHA-256 of every file, by its name; by its path where two files have the same name."""
    files = dict.fromkeys(file for path in map(Path, paths) for file in (corpus_files(path) if path.is_dir() else [path]))
    names = Counter(file.name for file in files)
    return {file.name if names[file.name] == 1 else str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def describe(prepared: Prepared) -> str:
    """One line of counts."""
    return json.dumps(prepared.counts)
