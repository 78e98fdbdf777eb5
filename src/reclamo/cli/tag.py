"""`reclamo tag`: tag every message of a source."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    from reclamo.engine.tagger import Tagger
    from reclamo.message import Message
    from reclamo.sinks import Batch, ResumableSink, Sink

ERRORS: Final = ("not_text", "broken", "over_limit")
ROLES: Final = ("customer", "agent")


def tag(
    source: Annotated[
        str, typer.Argument(help="mbox, Maildir, .eml, .msg, folder, zip, tar, CSV, JSONL, Parquet, XLSX, or - (JSON lines on stdin)")
    ],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="output file; its ending says the format")] = None,
    format: Annotated[
        str | None, typer.Option("-f", "--format", help="jsonl, csv, parquet, sqlite, table, mbox or maildir; JSON lines by default")
    ] = None,
    model: Annotated[Path | None, typer.Option("--model", help="folder of a tagger; the bundled one by default")] = None,
    role: Annotated[str | None, typer.Option("--role", help="the role of every message that does not say its own")] = None,
    text_column: Annotated[str | None, typer.Option("--text-column", help="column of a table that holds the text")] = None,
    id_column: Annotated[str | None, typer.Option("--id-column", help="column of a table that holds the id")] = None,
    with_text: Annotated[bool, typer.Option("--with-text", help="add the cleaned text, which evidence counts in, to the rows")] = False,
    redact: Annotated[bool, typer.Option("--redact", help="put [email], [phone], [iban] … in the place of such, in the text")] = False,
    explain_cleaning: Annotated[
        bool, typer.Option("--explain-cleaning", help="say in each row what was taken of a mail: kind, lines, characters")
    ] = False,
    evidence: Annotated[bool, typer.Option("--evidence/--no-evidence", help="give the words that made each score")] = True,
    include_automatic: Annotated[bool, typer.Option("--include-automatic", help="score bounces, newsletters, absence notes")] = False,
    review_rate: Annotated[float | None, typer.Option("--review-rate", min=0, max=1, help="share of messages to mark for review")] = None,
    max_risk: Annotated[float | None, typer.Option("--max-risk", min=0, max=1, help="largest error rate to leave unmarked")] = None,
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="processor threads; all by default")] = None,
    precision: Annotated[str, typer.Option("--precision", help="auto, bf16 or fp32")] = "auto",
    again: Annotated[bool, typer.Option("--again", help="start anew, whatever an earlier run left")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="no progress on stderr")] = False,
) -> int:
    """Tag every message of SOURCE: one row for each, in order.

    A run that was stopped goes on when the same command is given again; a journal beside the output says how far it came.

    Exit code 0: done; 1: done, some messages could not be read; 2: wrong use; 3: the source or the model could not be read.
    """
    from reclamo.cli.explain import cleaning_limits
    from reclamo.engine.tagger import load
    from reclamo.errors import UsageError
    from reclamo.sinks import open_sink
    from reclamo.sources import SourceOptions, open_source

    if precision not in ("auto", "bf16", "fp32"):
        raise UsageError(f"--precision is {precision!r}; expected auto, bf16 or fp32")
    limits = cleaning_limits(explain_cleaning, with_text=with_text, output=output, format=format)
    options = SourceOptions(text_column=text_column, id_column=id_column, include_automatic=include_automatic, limits=limits)
    messages = _with_role(open_source(source, options), role)
    tagger = load(model, threads=threads, precision=precision, evidence=evidence, review_rate=review_rate, max_risk=max_risk)
    if role is not None and role not in tagger.taxonomy.by_name["role"].names:
        raise UsageError(f"--role is {role!r}; expected {' or '.join(tagger.taxonomy.by_name['role'].names)}")
    given = {
        "--format": format, "--role": role, "--text-column": text_column, "--id-column": id_column, "--with-text": with_text,
        "--redact": redact, "--explain-cleaning": explain_cleaning, "--evidence": evidence, "--include-automatic": include_automatic,
        "--review-rate": review_rate, "--max-risk": max_risk, "--threads": threads,
    }  # fmt: skip
    batch = _batch(source, tagger, given, again=again)
    sink = open_sink(output, tagger.taxonomy, format=format, with_text=with_text, batch=batch)
    counts = _run(tagger, messages, sink, redact=redact, quiet=quiet)
    return 1 if any(counts[reason] for reason in ERRORS) else 0


def _batch(source: str, tagger: Tagger, given: Mapping[str, object], *, again: bool) -> Batch:
    """Say what makes this batch the one it is: source, model, and every option that decides the bytes that come out."""
    from reclamo import __version__
    from reclamo.artefact.store import MANIFEST, file_sha256
    from reclamo.engine.tagger import CHUNK
    from reclamo.sinks import Batch

    options = {**given, "--precision": tagger.precision, "the version of reclamo": __version__}
    return Batch(source=source, options=options, model=file_sha256(tagger.artefact.path / MANIFEST), every=CHUNK, again=again)


def _run(tagger: Tagger, messages: Iterator[Message], sink: Sink | ResumableSink, *, redact: bool, quiet: bool) -> Counter[str]:
    """Tag what is left to tag; give the counts of the whole batch."""
    from reclamo.sinks import ResumableSink
    from reclamo.text.redaction import redact_tags

    counts: Counter[str] = Counter()
    if isinstance(sink, ResumableSink):
        counts.update(sink.counts)
        if sink.is_finished:
            _say(f"{sink.path} is finished ({sink.rows_done} messages), nothing was done; --again tags them anew", quiet=quiet)
            return counts
        if sink.rows_done:
            _say(f"going on after {sink.rows_done} messages that are done", quiet=quiet)
        messages = sink.remaining(messages)
    try:
        with _Progress(quiet) as progress:
            for tags in tagger.tag_many(messages):
                sink.write(redact_tags(tags) if redact else tags)
                counts[tags.unscored_reason or "tagged"] += 1
                progress.advance()
        sink.close()
    except BaseException:
        sink.abort()
        if isinstance(sink, ResumableSink) and sink.rows_done:
            _say(f"{sink.rows_done} messages are done; the same command goes on after them", quiet=quiet)
        raise
    _report(counts, quiet=quiet)
    return counts


def _with_role(messages: Iterator[Message], role: str | None) -> Iterator[Message]:
    return messages if role is None else (m if m.role else replace(m, role=role) for m in messages)


def _say(what: str, *, quiet: bool) -> None:
    if not quiet:
        print(f"reclamo: {what}", file=sys.stderr)


def _report(counts: Counter[str], *, quiet: bool) -> None:
    total = sum(counts.values())
    unscored = ", ".join(f"{count} {reason}" for reason, count in sorted(counts.items()) if reason != "tagged")
    _say(f"{counts['tagged']} of {total} messages tagged" + (f"; unscored: {unscored}" if unscored else ""), quiet=quiet)


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
