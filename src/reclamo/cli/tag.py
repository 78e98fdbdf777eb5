"""`reclamo tag`: tag every message of a source."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

import typer

from reclamo.message import Message

ERRORS: Final = ("not_text", "broken", "over_limit")
ROLES: Final = ("customer", "agent")


def tag(
    source: Annotated[str, typer.Argument(help="mbox, Maildir, .eml, folder, CSV, JSONL, Parquet, XLSX, or - (JSON lines on stdin)")],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="output file; its ending says the format")] = None,
    format: Annotated[str | None, typer.Option("-f", "--format", help="jsonl, csv, parquet or table; JSON lines by default")] = None,
    model: Annotated[Path | None, typer.Option("--model", help="folder of a tagger; the bundled one by default")] = None,
    role: Annotated[str | None, typer.Option("--role", help="the role of every message that does not say its own")] = None,
    text_column: Annotated[str | None, typer.Option("--text-column", help="column of a table that holds the text")] = None,
    id_column: Annotated[str | None, typer.Option("--id-column", help="column of a table that holds the id")] = None,
    with_text: Annotated[bool, typer.Option("--with-text", help="add the cleaned text, which evidence counts in, to the rows")] = False,
    evidence: Annotated[bool, typer.Option("--evidence/--no-evidence", help="give the words that made each score")] = True,
    include_automatic: Annotated[bool, typer.Option("--include-automatic", help="score bounces, newsletters, absence notes")] = False,
    review_rate: Annotated[float | None, typer.Option("--review-rate", min=0, max=1, help="share of messages to mark for review")] = None,
    max_risk: Annotated[float | None, typer.Option("--max-risk", min=0, max=1, help="largest error rate to leave unmarked")] = None,
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="processor threads; all by default")] = None,
    precision: Annotated[str, typer.Option("--precision", help="auto, bf16 or fp32")] = "auto",
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="no progress on stderr")] = False,
) -> int:
    """Tag every message of SOURCE: one row for each, in order.

    Exit code 0: done; 1: done, some messages could not be read; 2: wrong use; 3: the source or the model could not be read.
    """
    from reclamo.engine.tagger import load
    from reclamo.errors import UsageError
    from reclamo.sinks import open_sink
    from reclamo.sources import SourceOptions, open_source

    if precision not in ("auto", "bf16", "fp32"):
        raise UsageError(f"--precision is {precision!r}; expected auto, bf16 or fp32")
    options = SourceOptions(text_column=text_column, id_column=id_column, include_automatic=include_automatic)
    messages = _with_role(open_source(source, options), role)
    tagger = load(model, threads=threads, precision=precision, evidence=evidence, review_rate=review_rate, max_risk=max_risk)
    if role is not None and role not in tagger.taxonomy.by_name["role"].names:
        raise UsageError(f"--role is {role!r}; expected {' or '.join(tagger.taxonomy.by_name['role'].names)}")
    sink = open_sink(output, tagger.taxonomy, format=format, with_text=with_text)
    counts: Counter[str] = Counter()
    try:
        with _Progress(quiet) as progress:
            for tags in tagger.tag_many(messages):
                sink.write(tags)
                counts[tags.unscored_reason or "tagged"] += 1
                progress.advance()
    except BaseException:
        sink.abort()
        raise
    sink.close()
    if not quiet:
        _report(counts)
    return 1 if any(counts[reason] for reason in ERRORS) else 0


def _with_role(messages: Iterator[Message], role: str | None) -> Iterator[Message]:
    return messages if role is None else (m if m.role else replace(m, role=role) for m in messages)


def _report(counts: Counter[str]) -> None:
    total = sum(counts.values())
    unscored = ", ".join(f"{count} {reason}" for reason, count in sorted(counts.items()) if reason != "tagged")
    print(f"reclamo: {counts['tagged']} of {total} messages tagged" + (f"; unscored: {unscored}" if unscored else ""), file=sys.stderr)


class _Progress:
    """A counter on stderr, where stderr is a terminal."""

    def __init__(self, quiet: bool) -> None:
        self.shown = not quiet and sys.stderr.isatty()
        self.count = 0

    def __enter__(self) -> _Progress:
        if self.shown:
            from rich.console import Console
            from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

            columns = (SpinnerColumn(), TextColumn("{task.completed} messages"), TimeElapsedColumn())
            self.bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self.task = self.bar.add_task("tag", total=None)
            self.bar.start()
        return self

    def advance(self) -> None:
        if self.shown:
            self.bar.advance(self.task)

    def __exit__(self, *_: object) -> None:
        if self.shown:
            self.bar.stop()
