"""Open a sink by its format, or by the ending of the output."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from reclamo.errors import UsageError
from reclamo.sinks.base import Sink
from reclamo.sinks.copies import MBOX_ENDINGS, open_copy
from reclamo.sinks.files import CsvRows, CsvSink, JsonlRows, JsonlSink, ParquetRows, ParquetSink
from reclamo.sinks.resumable import Batch, ResumableSink
from reclamo.sinks.sqlite import SqliteSink
from reclamo.sinks.table import TableSink
from reclamo.taxonomy import Taxonomy

FORMATS: Final[dict[str, Any]] = {"jsonl": JsonlSink, "csv": CsvSink, "parquet": ParquetSink, "sqlite": SqliteSink, "table": TableSink}
RESUMABLE: Final[dict[str, Any]] = {"jsonl": JsonlRows, "csv": CsvRows, "parquet": ParquetRows}
ENDINGS: Final[dict[str, str]] = {
    **{".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".parquet": "parquet", ".sqlite": "sqlite", ".db": "sqlite"},
    **dict.fromkeys(MBOX_ENDINGS, "mbox"),
}
COPIES: Final = ("mbox", "maildir")


def open_sink(
    output: Path | None, taxonomy: Taxonomy, *, format: str | None = None, with_text: bool = False, batch: Batch | None = None
) -> Sink | ResumableSink:
    """Open the sink that `format` names, else the output's ending, else JSON lines on standard output.

    With a `batch`, an output that is a file is resumable.

    Raises:
        UsageError: an unknown format or ending, or an output of another batch. SinkError: the output cannot be written.
    """
    name = format or (ENDINGS.get(output.suffix.lower()) if output else "jsonl")
    if name in COPIES and batch is not None:
        return _open_copy(name, output, taxonomy, batch)
    if name not in FORMATS:
        seen = f"format {format!r}" if format else f"ending {output.suffix if output else ''!r}"
        raise UsageError(f"unknown {seen}; expected one of {', '.join((*FORMATS, *COPIES))}, or an output ending in {', '.join(ENDINGS)}")
    if output is not None and not output.parent.is_dir():
        raise UsageError("its folder does not exist; create it first", path=output)
    if output is not None and batch is not None and name in RESUMABLE and (output.is_file() or not output.exists()):
        return ResumableSink(output, RESUMABLE[name](taxonomy, with_text=with_text), batch)
    sink: Sink = FORMATS[name](output, taxonomy, with_text=with_text)
    return sink


def _open_copy(name: str, output: Path | None, taxonomy: Taxonomy, batch: Batch) -> ResumableSink:
    if output is None:
        raise UsageError(f"a copy cannot go to standard output; give -o and a name for the {name}")
    copy = open_copy(name, output, batch.source, taxonomy, again=batch.again)
    if not output.parent.is_dir():
        raise UsageError("its folder does not exist; create it first", path=output)
    return ResumableSink(output, copy, batch)
