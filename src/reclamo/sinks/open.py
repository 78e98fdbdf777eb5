"""Open a sink by its format, or by the ending of the output."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from reclamo.errors import UsageError
from reclamo.sinks.base import Sink
from reclamo.sinks.files import CsvRows, CsvSink, JsonlRows, JsonlSink, ParquetRows, ParquetSink
from reclamo.sinks.resumable import Batch, ResumableSink
from reclamo.sinks.sqlite import SqliteSink
from reclamo.sinks.table import TableSink
from reclamo.taxonomy import Taxonomy

FORMATS: Final[dict[str, Any]] = {"jsonl": JsonlSink, "csv": CsvSink, "parquet": ParquetSink, "sqlite": SqliteSink, "table": TableSink}
RESUMABLE: Final[dict[str, Any]] = {"jsonl": JsonlRows, "csv": CsvRows, "parquet": ParquetRows}
ENDINGS: Final = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".parquet": "parquet", ".sqlite": "sqlite", ".db": "sqlite"}


def open_sink(
    output: Path | None, taxonomy: Taxonomy, *, format: str | None = None, with_text: bool = False, batch: Batch | None = None
) -> Sink | ResumableSink:
    """Open the sink that `format` names, else the output's ending, else JSON lines on standard output.

    With a `batch`, an output that is a file is resumable.

    Raises:
        UsageError: an unknown format or ending, or an output of another batch. SinkError: the output cannot be written.
    """
    name = format or (ENDINGS.get(output.suffix.lower()) if output else "jsonl")
    if name not in FORMATS:
        seen = f"format {format!r}" if format else f"ending {output.suffix if output else ''!r}"
        raise UsageError(f"unknown {seen}; expected one of {', '.join(FORMATS)}, or an output ending in {', '.join(ENDINGS)}")
    if output is not None and not output.parent.is_dir():
        raise UsageError("its folder does not exist; create it first", path=output)
    if output is not None and batch is not None and name in RESUMABLE and (output.is_file() or not output.exists()):
        return ResumableSink(output, RESUMABLE[name](taxonomy, with_text=with_text), batch)
    sink: Sink = FORMATS[name](output, taxonomy, with_text=with_text)
    return sink
