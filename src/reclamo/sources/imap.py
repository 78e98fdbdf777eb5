"""A folder of an IMAP server as a source: read without a trace, by ascending UID, in bounded memory."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

from imapclient.exceptions import IMAPClientError

from reclamo.errors import SourceError, UsageError
from reclamo.mail import Limits
from reclamo.mail.mbox import RawMail
from reclamo.message import Message, Problem
from reclamo.sources.imap_connection import Client, ConnectionOptions, ImapFolder, is_misread, renumbered, server_says
from reclamo.sources.imap_search import Filters
from reclamo.sources.imap_url import ImapUrl
from reclamo.sources.mbox import read_raw
from reclamo.sources.passes import Passes

SEARCH_WINDOW: Final = 50_000  # UIDs searched at once: an answer stays below the 1,000,000 bytes that imaplib reads in one line
SPARSE: Final = SEARCH_WINDOW // 8  # an answer below that lets the next window grow
SIZES: Final = 256  # messages asked for their size at once
FETCH_BYTES: Final = 8 * 1024 * 1024  # messages fetched at once, unless one alone is larger
MISREAD: Final = 2  # answers to one FETCH that are not understood before its messages are fetched one by one
_ID: Final = re.compile(r"(?P<folder>.*);UIDVALIDITY=(?P<validity>\d+)/;UID=(?P<uid>\d+)", re.DOTALL)
_LOG = logging.getLogger("reclamo")


@dataclass(frozen=True, kw_only=True)
class ImapOptions:
    """How a folder is read: which messages, over what connection, and as what mail."""

    filters: Filters = field(default_factory=Filters)
    connection: ConnectionOptions = field(default_factory=ConnectionOptions)
    limits: Limits = field(default_factory=Limits)
    include_automatic: bool = False


def message_id(url: ImapUrl, uid_validity: int, uid: int) -> str:
    """Name a message (RFC 5092, relative to the server). Example: INBOX;UIDVALIDITY=1700000000/;UID=42."""
    return f"{url.quoted_folder};UIDVALIDITY={uid_validity}/;UID={uid}"


def parse_message_id(id: str) -> tuple[str, int, int]:
    """Give folder, UIDVALIDITY and UID of an id that `message_id` made; raises ValueError."""
    match = _ID.fullmatch(id)
    if match is None:
        raise ValueError(f"{id!r} names no message of an IMAP folder")
    return unquote(match["folder"]), int(match["validity"]), int(match["uid"])


class ImapMessages(Passes):
    """The messages of a folder by ascending UID; iterated again, those that came since.

    Nothing is marked as read: bodies are fetched with BODY.PEEK[], from a folder opened by EXAMINE unless it is `writable`. A
    message past `limits.message_bytes` is not fetched. One that is deleted while the folder is read is left out.

    Raises:
        SourceError: see `ImapFolder`. UsageError: the server does not take the search.
    """

    def __init__(self, url: ImapUrl, options: ImapOptions = ImapOptions()) -> None:
        super().__init__()
        self.url, self.options = url, options
        self.folder = ImapFolder(url, options.connection)
        self.last_uid = 0
        self._criteria = options.filters.parts()

    @property
    def fingerprint(self) -> Mapping[str, Any]:
        """What makes this source the one it is, for the journal."""
        return {"path": str(self.url), "uidvalidity": self.folder.uid_validity}

    def resume(self, last_id: str, done: Callable[[], Iterable[str]]) -> None:
        """Go on behind a message that is done."""
        _, validity, uid = parse_message_id(last_id)
        if validity != self.folder.uid_validity:
            raise SourceError(renumbered(validity, self.folder.uid_validity), path=str(self.url))
        self.last_uid = uid

    def stop_when(self, stop: Callable[[], bool]) -> None:
        """Raise `Stopped` instead of connecting again, once `stop` says so."""
        self.folder.stop = stop

    def wait(self, stop: Callable[[], bool]) -> None:
        """Wait for new messages (IDLE, else by asking), or until `stop` says so."""
        self.stop_when(stop)
        self.folder.wait()

    def close(self) -> None:
        """Leave the server."""
        self.folder.close()

    def _read(self) -> Iterator[Message]:
        self.folder.ask(Client.catch_up)
        highest = max(self._search(["UID *"]), default=0)
        for uids in self._windows(highest):
            for start in range(0, len(uids), SIZES):
                yield from self._fetch(uids[start : start + SIZES])
        self.last_uid = max(self.last_uid, highest)

    def _windows(self, highest: int) -> Iterator[list[int]]:
        """Search by windows of UIDs, wider where few messages are found."""
        first, width = self.last_uid + 1, SEARCH_WINDOW
        while first <= highest:
            last = min(first + width - 1, highest)
            try:
                answer = self._search([f"UID {first}:{last}", *self._criteria], misread=1 if width > SEARCH_WINDOW else None)
            except IMAPClientError:  # more messages than the window before led to expect, and too long a line
                width = max((last - first + 1) // 2, SEARCH_WINDOW)
                continue
            found = sorted(uid for uid in set(answer) if first <= uid <= last)
            yield found
            first, width = last + 1, width * 4 if len(found) < SPARSE else SEARCH_WINDOW

    def _search(self, parts: Sequence[str | bytes], *, misread: int | None = None) -> list[int]:
        try:
            return self.folder.run(lambda client: client.search_parts(parts), misread=misread)
        except IMAPClientError as error:
            if misread is not None and is_misread(error):
                raise
            if not self._criteria:
                raise SourceError(f"the server refused to search the folder ({server_says(error)})", path=str(self.url)) from error
            why = f"the server does not take --search ({server_says(error)}); expected search keys such as UNSEEN or FROM ana"
            raise UsageError(why) from error

    def _fetch(self, uids: Sequence[int]) -> Iterator[Message]:
        """Give messages in order, as many at once as fit FETCH_BYTES; those past the limit are not fetched."""
        rows = self.folder.ask(lambda client: client.fetch(uids, ["RFC822.SIZE"]))
        sizes = {uid: int(rows[uid].get(b"RFC822.SIZE") or 0) for uid in uids if uid in rows}
        limit = self.options.limits.message_bytes
        for group in _groups({uid: size if size <= limit else 0 for uid, size in sizes.items()}):
            bodies = self._bodies([uid for uid in group if sizes[uid] <= limit])
            for uid in group:
                if sizes[uid] > limit:
                    bodies[uid] = RawMail(data=b"", size=sizes[uid])
                if uid in bodies:
                    self.last_uid = uid
                    yield self._message(uid, bodies.pop(uid))
        if gone := len(uids) - len(sizes):
            _LOG.info("%s: %d messages were deleted while the folder was read", self.url, gone)

    def _bodies(self, uids: Sequence[int]) -> dict[int, RawMail | Problem]:
        try:
            rows = self.folder.run(lambda client: client.fetch(uids, ["BODY.PEEK[]"]), misread=MISREAD)
        except IMAPClientError as error:
            if len(uids) > 1:  # one that the server cannot give, or not so that it is understood, must not take the others along
                return {uid: body for single in uids for uid, body in self._bodies([single]).items()}
            return {uids[0]: Problem(reason="broken", detail=f"the server could not give the message ({type(error).__name__})")}
        found: dict[int, RawMail | Problem] = {}
        for uid, row in rows.items():
            data = row.get(b"BODY[]")
            if data is not None:
                found[uid] = RawMail(data=data, size=len(data))
        return found

    def _message(self, uid: int, body: RawMail | Problem) -> Message:
        id = message_id(self.url, self.folder.uid_validity, uid)
        if isinstance(body, Problem):
            return Message(id=id, text="", problem=body)
        return read_raw(body, self.options.limits).to_message(id, include_automatic=self.options.include_automatic)


def _groups(sizes: Mapping[int, int]) -> Iterator[list[int]]:
    """Cut messages into groups that are fetched at once. Example: {1: 5, 2: 2, 3: 9} and at most 8 -> [1, 2], [3]."""
    group: list[int] = []
    total = 0
    for uid, size in sizes.items():
        if group and total + size > FETCH_BYTES:
            yield group
            group, total = [], 0
        group.append(uid)
        total += size
    if group:
        yield group
