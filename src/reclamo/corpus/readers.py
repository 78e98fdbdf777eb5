"""Read labelled messages: JSON lines, CSV, Parquet, a folder of them, or a `datasets` data set."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from reclamo.corpus.example import META_KEYS, Example, parse_labels
from reclamo.errors import CorpusError
from reclamo.taxonomy import Taxonomy, load_taxonomy
from reclamo.text import clean_text

SUFFIXES = (".jsonl", ".csv", ".parquet")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
FORMULA = re.compile(f"'*[{re.escape(''.join(FORMULA_STARTS))}]")


def read_corpus(paths: str | Path | Iterable[str | Path], taxonomy: Taxonomy | None = None) -> list[Example]:
    """Read every labelled message of files and folders, in order; a folder gives its corpus files by name.

    Raises:
        CorpusError: a file is missing or of an unknown format, or a row breaks a rule: file, line and rule.
    """
    schema = taxonomy or load_taxonomy()
    given = [paths] if isinstance(paths, (str, Path)) else list(paths)
    examples: list[Example] = []
    for path in given:
        for file in corpus_files(Path(path)):
            examples.extend(_read_file(file, schema))
    seen: dict[str, Example] = {}
    for example in examples:
        if example.id in seen:
            raise CorpusError(f"the id {example.id!r} stands twice; ids must be unique", path=str(given[0]))
        seen[example.id] = example
    return examples


def from_dataset(rows: Iterable[Mapping[str, Any]], taxonomy: Taxonomy | None = None, *, name: str = "dataset") -> list[Example]:
    """Read the rows of a `datasets.Dataset` (or any iterable of dicts in the row form).

    Raises:
        CorpusError: a row breaks a rule; the line is its ordinal, from 1.
    """
    schema = taxonomy or load_taxonomy()
    return [example_from_row(row, schema, name, number) for number, row in enumerate(rows, 1)]


def corpus_files(path: Path) -> list[Path]:
    if path.is_dir():
        found = sorted(file for file in path.iterdir() if file.suffix in SUFFIXES and file.is_file())
        if not found:
            raise CorpusError(f"the folder holds no corpus file ({', '.join(SUFFIXES)})", path=path)
        return found
    if not path.exists():
        raise CorpusError("no such file or folder; give the path of a labelled corpus", path=path)
    if path.suffix not in SUFFIXES:
        raise CorpusError(f"unknown format {path.suffix!r}; expected one of {', '.join(SUFFIXES)}", path=path)
    return [path]


def _read_file(path: Path, taxonomy: Taxonomy) -> Iterator[Example]:
    rows = {".jsonl": jsonl_rows, ".csv": csv_rows, ".parquet": parquet_rows}[path.suffix](path)
    for number, row in rows:
        yield example_from_row(row, taxonomy, str(path), number)


def jsonl_rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except json.JSONDecodeError as error:
                raise CorpusError(f"is not JSON ({error.msg})", path=path, line=number) from error
            if not isinstance(row, dict):
                raise CorpusError(f"is a {type(row).__name__}; expected a JSON object", path=path, line=number)
            yield number, row


def csv_rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        for row in reader:
            yield reader.line_num, {key: unguarded(value) for key, value in row.items() if value not in (None, "")}


def unguarded(cell: Any) -> Any:
    """Take off the apostrophe that keeps a spreadsheet from running a cell as a formula. Example: "'=1+1" -> "=1+1"."""
    return cell[1:] if isinstance(cell, str) and cell.startswith("'") and FORMULA.match(cell) else cell


def parquet_rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    import pyarrow.parquet

    number = 0
    with pyarrow.parquet.ParquetFile(path) as file:
        for batch in file.iter_batches():
            for row in batch.to_pylist():
                number += 1
                yield number, row


def example_from_row(row: Mapping[str, Any], taxonomy: Taxonomy, path: str, number: int) -> Example:
    text = row.get("text")
    if not isinstance(text, str) or not text.strip():
        raise CorpusError("the row has no text", path=path, line=number)
    try:
        labels = parse_labels(raw_labels(row, taxonomy), taxonomy)
    except ValueError as error:
        raise CorpusError(str(error), path=path, line=number) from error
    hard = row.get("hard") or ()
    return Example(
        id=str(row.get("id") or f"{Path(path).stem}-{number}"),
        text=clean_text(text),
        lang=row.get("lang"),
        labels=labels,
        hard=tuple(hard.split("|")) if isinstance(hard, str) else tuple(hard),
        meta={key: str(row[key]) for key in META_KEYS if row.get(key)},
    )


def raw_labels(row: Mapping[str, Any], taxonomy: Taxonomy) -> dict[str, Any]:
    """Take the labels of a row: nested under `labels`, or one column a head (lists as `a|b`, yes/no as true/false)."""
    nested = row.get("labels")
    raw: dict[str, Any] = dict(nested) if isinstance(nested, Mapping) else {}
    if isinstance(nested, str):
        raw = json.loads(nested)
    elif nested is None:
        raw = {name: _from_cell(row[name], taxonomy.by_name[name].kind) for name in taxonomy.by_name if row.get(name) is not None}
    if "role" in taxonomy.by_name and row.get("role") is not None:
        raw["role"] = row["role"]
    return raw


def _from_cell(value: Any, kind: str) -> Any:
    if not isinstance(value, str):
        return value
    if kind == "yes_no":
        return {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}.get(value.strip().lower(), value)
    if kind == "any_of":
        return [part.strip() for part in value.split("|") if part.strip()]
    return value.strip()
