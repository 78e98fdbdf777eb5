"""`reclamo tag`: tag every message of a source."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from reclamo.cli import mailbox as mail

if TYPE_CHECKING:
    from reclamo.engine.tagger import Tagger
    from reclamo.message import Message
    from reclamo.sinks import Batch, ResumableSink, Sink
    from reclamo.tags import Tags
    from reclamo.taxonomy import Taxonomy

ERRORS: Final = ("not_text", "broken", "over_limit")
ROLES: Final = ("customer", "agent")


def tag(
    source: Annotated[
        str,
        typer.Argument(
            help="mbox, Maildir, .eml, .msg, folder, zip, tar, imaps://USER@HOST/FOLDER, CSV, JSONL, Parquet, XLSX, - (JSONL on stdin)"
        ),
    ],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="output file; its ending says the format")] = None,
    format: Annotated[
        str | None, typer.Option("-f", "--format", help="jsonl, csv, parquet, sqlite, table, mbox or maildir; JSON lines by default")
    ] = None,
    model: Annotated[
        Path | None, typer.Option("--model", help="reclamo-small (the default), reclamo-tiny, or the folder of a tagger")
    ] = None,
    role: Annotated[str | None, typer.Option("--role", help="the role of every message that does not say its own")] = None,
    text_column: Annotated[
        str | None, typer.Option("--text-column", help="column of a table, or key of JSON lines, that holds the text")
    ] = None,
    id_column: Annotated[str | None, typer.Option("--id-column", help="the same for the id")] = None,
    with_text: Annotated[bool, typer.Option("--with-text", help="add the cleaned text, which evidence counts in, to the rows")] = False,
    redact: Annotated[bool, typer.Option("--redact", help="put [email], [phone], [iban] … in the place of such, in the text")] = False,
    explain_cleaning: Annotated[
        bool, typer.Option("--explain-cleaning", help="say in each row what was taken of a mail: kind, lines, characters")
    ] = False,
    evidence: Annotated[bool, typer.Option("--evidence/--no-evidence", help="give the words that made each score")] = True,
    include_automatic: Annotated[bool, typer.Option("--include-automatic", help="score bounces, newsletters, absence notes")] = False,
    since: mail.Since = None,
    before: mail.Before = None,
    search: mail.Search = None,
    ca_file: mail.CaFile = None,
    allow_plaintext: mail.AllowPlaintext = False,
    set_keywords: mail.SetKeywords = False,
    watch: mail.Watch = False,
    review_rate: Annotated[float | None, typer.Option("--review-rate", min=0, max=1, help="share of messages to mark for review")] = None,
    max_risk: Annotated[float | None, typer.Option("--max-risk", min=0, max=1, help="largest error rate to leave unmarked")] = None,
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="processor threads; all by default")] = None,
    precision: Annotated[str, typer.Option("--precision", help="auto, bf16 or fp32")] = "auto",
    again: Annotated[bool, typer.Option("--again", help="start anew, whatever an earlier run left")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="nothing on stderr but errors")] = False,
) -> int:
    """Tag every message of SOURCE: one row for each, in order.

    A run that was stopped goes on when the same command is given again; a journal beside the output says how far it came.

    Exit code 0: done; 1: done, some messages could not be read; 2: wrong use; 3: the source or the model could not be read.
    """
    from reclamo.cli.explain import cleaning_limits
    from reclamo.engine.tagger import load
    from reclamo.errors import UsageError
    from reclamo.sources import SourceOptions

    if precision not in ("auto", "bf16", "fp32"):
        raise UsageError(f"--precision is {precision!r}; expected auto, bf16 or fp32")
    limits = cleaning_limits(explain_cleaning, with_text=with_text, output=output, format=format)
    say = partial(_say, quiet=quiet)
    options = SourceOptions(text_column=text_column, id_column=id_column, include_automatic=include_automatic, limits=limits, say=say)
    mailbox = mail.MailboxOptions(
        since=since, before=before, search=search, ca_file=ca_file, allow_plaintext=allow_plaintext, set_keywords=set_keywords, watch=watch
    )
    with mail.open_mailbox(source, options, mailbox) as messages:
        about = mail.describe_source(source, messages, mailbox)
        tagger = load(model, threads=threads, precision=precision, evidence=evidence, review_rate=review_rate, max_risk=max_risk)
        roles = tagger.taxonomy.by_name["role"].names if "role" in tagger.taxonomy.by_name else ()
        if role is not None and role not in roles:
            raise UsageError(f"--role is {role!r}; expected {' or '.join(roles) or 'none, since this tagger has no roles'}")
        given = {
            "--format": format, "--role": role, "--text-column": text_column, "--id-column": id_column, "--with-text": with_text,
            "--redact": redact, "--explain-cleaning": explain_cleaning, "--evidence": evidence, "--include-automatic": include_automatic,
            "--review-rate": review_rate, "--max-risk": max_risk, "--threads": threads, **mailbox.given(),
        }  # fmt: skip
        batch = _batch(about, tagger, given, again=again)
        rows = mail.open_rows(output, tagger.taxonomy, format, with_text, batch, mailbox)
        counts = _run(_chunk_tagger(tagger, role, redact=redact), messages, rows, tagger.taxonomy, mailbox, quiet=quiet)
    return 1 if any(counts[reason] for reason in ERRORS) else 0


def _batch(about: Mapping[str, Any], tagger: Tagger, given: Mapping[str, object], *, again: bool) -> Batch:
    """Say what makes this batch the one it is: source, model, and every option that decides the bytes that come out."""
    from reclamo import __version__
    from reclamo.artefact.store import MANIFEST, file_sha256
    from reclamo.engine.tagger import CHUNK
    from reclamo.sinks import Batch

    options = {**given, "--precision": tagger.precision, "the version of reclamo": __version__}
    return Batch(**about, options=options, model=file_sha256(tagger.artefact.path / MANIFEST), every=CHUNK, again=again)


def _chunk_tagger(tagger: Tagger, role: str | None, *, redact: bool) -> Callable[[Iterable[Message]], Iterator[Tags]]:
    """Give what makes the rows of messages."""
    from reclamo.text.redaction import redact_tags

    def tag(messages: Iterable[Message]) -> Iterator[Tags]:
        given = messages if role is None else (m if m.role else replace(m, role=role) for m in messages)
        return (redact_tags(tags) if redact else tags for tags in tagger.tag_many(given))

    return tag


def _run(
    tag: Callable[[Iterable[Message]], Iterator[Tags]],
    messages: Iterator[Message],
    rows: Sink | ResumableSink | None,
    taxonomy: Taxonomy,
    mailbox: mail.MailboxOptions,
    *,
    quiet: bool,
) -> Counter[str]:
    """Tag what is left to tag; give the counts of the whole batch."""
    from reclamo.sinks import ResumableSink

    counts: Counter[str] = Counter()
    if isinstance(rows, ResumableSink):
        counts.update(rows.counts)
        if rows.is_finished:
            _say(f"{rows.path} is finished ({rows.rows_done} messages), nothing was done; --again tags them anew", quiet=quiet)
            return counts
        if rows.rows_done:
            _say(f"going on after {rows.rows_done} messages that are done", quiet=quiet)
    try:
        sink = mail.with_keywords(rows, messages, taxonomy, mailbox)
        left = rows.remaining(messages) if isinstance(rows, ResumableSink) else messages
        with _Progress(quiet) as progress:
            for tags in mail.follow(left, tag, sink) if mailbox.watch else mail.write_all(left, tag, sink):
                counts[tags.unscored_reason or "tagged"] += 1
                progress.advance()
        sink.close()
    except BaseException:
        if rows is not None:
            rows.abort()
        if isinstance(rows, ResumableSink) and rows.rows_done:
            _say(f"{rows.rows_done} messages are done; the same command goes on after them", quiet=quiet)
        raise
    _report(counts, quiet=quiet)
    return counts


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
