"""Read a corpus for an audit: every problem becomes a finding with file and line, and reading goes on."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from reclamo.corpus.audit.finding import Finding, found
from reclamo.corpus.example import META_KEYS, Example, LabelValue, parse_labels
from reclamo.corpus.readers import corpus_files, csv_rows, parquet_rows, raw_labels
from reclamo.errors import CorpusError
from reclamo.taxonomy import Taxonomy

KNOWN_KEYS: Final = frozenset({"id", "lang", "role", "text", "labels", "hard", *META_KEYS})


@dataclass(frozen=True, kw_only=True)
class Scan:
    """The messages of a corpus with their texts as stored and their valid labels, and what was wrong with the rest."""

    examples: tuple[Example, ...]
    problems: tuple[Finding, ...]


def scan(path: str | Path, taxonomy: Taxonomy) -> Scan:
    """Read a corpus file, or every corpus file of a folder.

    Raises:
        CorpusError: there is no such file, or it is of an unknown format.
    """
    scanner = _Scanner(taxonomy)
    for file in corpus_files(Path(path)):
        scanner.read(file)
    return Scan(examples=tuple(scanner.examples), problems=tuple(scanner.problems))


def valid_labels(raw: Mapping[str, Any], taxonomy: Taxonomy) -> tuple[dict[str, LabelValue], list[str]]:
    """Give the labels that obey the rules, and a sentence for each rule that the others break."""
    labels: dict[str, LabelValue] = {}
    broken: list[str] = []
    for name, value in raw.items():
        try:
            parse_labels({name: value}, taxonomy)
        except (ValueError, TypeError) as error:
            broken.append(str(error))
            continue
        try:
            labels = parse_labels({**labels, name: value}, taxonomy)
        except ValueError as error:
            broken.append(str(error))
    return labels, broken


@dataclass
class _Scanner:
    taxonomy: Taxonomy
    examples: list[Example] = field(default_factory=list)
    problems: list[Finding] = field(default_factory=list)

    def read(self, file: Path) -> None:
        """Read one file."""
        unknown: Counter[str] = Counter()
        for number, row in self._rows(file):
            where = f"{file}:{number}"
            if not isinstance(row, dict):
                self._problem("A101", f"a {type(row).__name__}; expected a JSON object", where)
                continue
            unknown.update(key for key in row if key not in KNOWN_KEYS and key not in self.taxonomy.by_name)
            self._row(row, f"{file.stem}-{number}", where)
        for key, count in sorted(unknown.items(), key=str):
            self._problem("A103", f"{count} row(s) with the unknown key {key!r}", str(file))

    def _rows(self, file: Path) -> Iterator[tuple[int, Any]]:
        if file.suffix == ".jsonl":
            yield from self._lines(file)
            return
        try:
            yield from csv_rows(file) if file.suffix == ".csv" else parquet_rows(file)
        except (OSError, ValueError, CorpusError) as error:
            self._problem("A101", f"cannot be read further ({error})", str(file))

    def _lines(self, file: Path) -> Iterator[tuple[int, Any]]:
        for number, line in enumerate(file.read_bytes().split(b"\n"), 1):
            if not line.strip():
                continue
            try:
                yield number, json.loads(line.decode("utf-8"))
            except (ValueError, RecursionError) as error:
                self._problem("A101", f"is not JSON in UTF-8 ({error})", f"{file}:{number}")

    def _row(self, row: dict[str, Any], name: str, where: str) -> None:
        text = row.get("text")
        if not isinstance(text, str) or not text.strip():
            seen = "no text" if text is None else "an empty text" if isinstance(text, str) else f"a text of type {type(text).__name__}"
            self._problem("A101", seen, where)
            return
        lang, hard = row.get("lang"), row.get("hard") or ()
        if isinstance(hard, str):
            hard = hard.split("|")
        self.examples.append(
            Example(
                id=str(row.get("id") or name),
                text=text,
                lang=str(lang) if lang else None,
                labels=self._labels(row, where),
                hard=tuple(map(str, hard)) if isinstance(hard, (list, tuple)) else (),
                meta={key: str(row[key]) for key in META_KEYS if row.get(key)},
            )
        )

    def _labels(self, row: dict[str, Any], where: str) -> dict[str, LabelValue]:
        nested = row.get("labels")
        try:
            if isinstance(nested, str):
                nested = json.loads(nested)
            if nested is not None and not isinstance(nested, dict):
                raise ValueError(f"labels is a {type(nested).__name__}; expected an object")
        except ValueError as error:
            self._problem("A102", str(error), where)
            return {}
        labels, broken = valid_labels(raw_labels({**row, "labels": nested}, self.taxonomy), self.taxonomy)
        for rule in broken:
            self._problem("A102", rule, where)
        return labels

    def _problem(self, code: str, saw: str, where: str) -> None:
        self.problems.append(found(code, saw, (where,)))
