"""The options of `reclamo tag` for mail folders: which messages, over what connection, keywords, and following new mail."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reclamo.errors import UsageError
from reclamo.message import Message

if TYPE_CHECKING:
    from reclamo.sinks import Batch, ResumableSink, Sink
    from reclamo.sources import SourceOptions
    from reclamo.tags import Tags
    from reclamo.taxonomy import Taxonomy

TagMany = Callable[[Iterable[Message]], Iterator["Tags"]]
Since = Annotated[str | None, typer.Option("--since", help="IMAP: messages received on this day (2026-03-31) or later")]
Before = Annotated[str | None, typer.Option("--before", help="IMAP: messages received before this day")]
Search = Annotated[str | None, typer.Option("--search", help="IMAP: search keys, such as 'UNSEEN FROM ana'")]
CaFile = Annotated[Path | None, typer.Option("--ca-file", help="IMAP: certificates to trust (PEM); those of the system by default")]
AllowPlaintext = Annotated[bool, typer.Option("--allow-plaintext", help="IMAP: let the password go unencrypted where need be")]
SetKeywords = Annotated[bool, typer.Option("--set-keywords", help="IMAP: set $Complaint, reclamo/delay … on the messages")]
Watch = Annotated[bool, typer.Option("--watch", help="follow an IMAP folder or a Maildir for new mail, until Ctrl-C or SIGTERM")]


@dataclass(frozen=True, kw_only=True)
class MailboxOptions:
    """What was asked for on the command line."""

    since: str | None = None
    before: str | None = None
    search: str | None = None
    ca_file: Path | None = None
    allow_plaintext: bool = False
    set_keywords: bool = False
    watch: bool = False

    def given(self) -> dict[str, object]:
        """Give the options that decide which rows come out and what is done, for the journal; those that were not given are left out."""
        named = {"--since": self.since, "--before": self.before, "--search": self.search, "--set-keywords": self.set_keywords or None}
        return {name: value for name, value in named.items() if value is not None}

    def only_imap(self) -> list[str]:
        """Name the options that were given and that only an IMAP folder has."""
        others = {"--ca-file": self.ca_file, "--allow-plaintext": self.allow_plaintext or None}
        return [*self.given(), *(name for name, value in others.items() if value is not None)]


@contextmanager
def open_mailbox(source: str, options: SourceOptions, mailbox: MailboxOptions) -> Iterator[Iterator[Message]]:
    """Open a source with the options for mail folders; it is left when the block ends.

    Raises:
        UsageError: an option that this source does not have.
    """
    messages = _open(source, options, mailbox)
    try:
        yield messages
    finally:
        close = getattr(messages, "close", None)
        if close is not None:
            close()


def _open(source: str, options: SourceOptions, mailbox: MailboxOptions) -> Iterator[Message]:
    from reclamo.sources import open_source
    from reclamo.sources.imap_url import is_imap

    if is_imap(source):
        return open_source(source, _imap(options, mailbox))
    if unfit := mailbox.only_imap():
        raise UsageError(f"{', '.join(unfit)}: only for IMAP folders (imaps://…), and the source is {_shown(source)}")
    if not mailbox.watch:
        return open_source(source, options)
    if "://" in source or not Path(source).is_dir():
        raise UsageError(f"--watch follows an IMAP folder (imaps://…) or a Maildir, and the source is {_shown(source)}")
    from reclamo.sources.maildir import say_subfolders
    from reclamo.sources.maildir_watch import MaildirMessages
    from reclamo.sources.open import refuse_columns

    refuse_columns(options, Path(source))
    messages = MaildirMessages(Path(source), options.limits, options.include_automatic)
    say_subfolders(Path(source), options.say)
    return messages


def _shown(source: str) -> str:
    """Give a source as an error may show it: of an address the scheme alone, since it may hold a password."""
    scheme, mark, _ = source.partition("://")
    return f"{scheme}://…" if mark else source


def _imap(options: SourceOptions, mailbox: MailboxOptions) -> SourceOptions:
    from dataclasses import replace

    from reclamo.sources.imap import ImapOptions
    from reclamo.sources.imap_connection import ConnectionOptions
    from reclamo.sources.imap_search import Filters, parse_day

    since, before = parse_day("--since", mailbox.since), parse_day("--before", mailbox.before)
    connection = ConnectionOptions(
        ca_file=mailbox.ca_file,
        allow_plaintext=mailbox.allow_plaintext,
        writable=mailbox.set_keywords,
        attempts=None if mailbox.watch else ConnectionOptions.attempts,
    )
    return replace(options, imap=ImapOptions(filters=Filters(since=since, before=before, search=mailbox.search), connection=connection))


def describe_source(source: str, messages: Iterator[Message], mailbox: MailboxOptions) -> dict[str, Any]:
    """Give what a `Batch` has to know of the source; the password of an address is not in it."""
    if not getattr(messages, "can_grow", False):
        return {"source": source}
    fingerprint: Mapping[str, Any] = messages.fingerprint  # type: ignore[attr-defined]
    return {"source": str(fingerprint["path"]), "fingerprint": fingerprint, "grows": True, "in_place": mailbox.watch}


def open_rows(
    output: Path | None, taxonomy: Taxonomy, format: str | None, with_text: bool, batch: Batch, mailbox: MailboxOptions
) -> Sink | ResumableSink | None:
    """Open the sink for rows; none where only keywords are asked for.

    Raises:
        UsageError: a form of output that cannot be followed.
    """
    from reclamo.sinks import open_sink
    from reclamo.sinks.open import COPIES, ENDINGS

    if mailbox.set_keywords and output is None and format is None:
        return None
    form = format or (ENDINGS.get(output.suffix.lower()) if output else "jsonl")
    if batch.grows and form in COPIES:  # a copy puts the rows on the messages in the order of the source, and new mail comes in between
        followed = "--watch follows" if mailbox.watch else "this source gives"
        raise UsageError(f"{followed} mail as it comes, and a copy ({form}) is made of a whole mailbox; choose .jsonl, .csv or .sqlite")
    if mailbox.watch and form in ("parquet", "table"):
        raise UsageError(f"--watch cannot add to {form}, which is written at its end; choose .jsonl, .csv or .sqlite")
    return open_sink(output, taxonomy, format=format, with_text=with_text, batch=batch)


def with_keywords(rows: Sink | None, messages: Iterator[Message], taxonomy: Taxonomy, mailbox: MailboxOptions) -> Sink:
    """Put the setting of keywords before the rows, where it is asked for."""
    from reclamo.engine.tagger import CHUNK

    if not mailbox.set_keywords:
        assert rows is not None
        return rows
    from reclamo.sinks.keywords import KeywordSink
    from reclamo.sources.imap import ImapMessages
    from reclamo.sources.imap_keywords import ImapKeywords

    assert isinstance(messages, ImapMessages)
    return KeywordSink(ImapKeywords(messages), taxonomy, rows, every=CHUNK)


def write_all(messages: Iterable[Message], tag: TagMany, sink: Sink) -> Iterator[Tags]:
    """Tag and write messages; gives the tags that were written."""
    for tags in tag(messages):
        sink.write(tags)
        yield tags


def follow(messages: Iterator[Message], tag: TagMany, sink: Sink) -> Iterator[Tags]:
    """Tag and write messages as they come, until the process is told to stop; gives the tags that were written.

    The first Ctrl-C or SIGTERM lets the chunk at hand be finished, the second stops at once.
    """
    from reclamo.engine.tagger import CHUNK
    from reclamo.sinks.keywords import flush_rows
    from reclamo.sources.passes import Stopped

    with _stop_on_signals() as stop, suppress(Stopped):
        messages.stop_when(stop)  # type: ignore[attr-defined]
        while not stop():
            while not stop() and (chunk := list(islice(messages, CHUNK))):
                written = list(tag(chunk))
                for tags in written:
                    sink.write(tags)
                flush_rows(sink)
                yield from written
            if not stop():
                messages.wait(stop)  # type: ignore[attr-defined]


@contextmanager
def _stop_on_signals() -> Iterator[Callable[[], bool]]:
    stopped: list[int] = []

    def stop(number: int, frame: object) -> None:
        if stopped:
            raise KeyboardInterrupt
        stopped.append(number)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(stopped)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
