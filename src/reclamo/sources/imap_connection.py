"""One folder of an IMAP server, over as many connections as it takes."""

from __future__ import annotations

import logging
import re
import ssl
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError, IMAPClientReadOnlyError, LoginError, ProtocolError

from reclamo.errors import SourceError
from reclamo.sources.imap_url import ImapUrl
from reclamo.sources.passes import Stopped

SLICE: Final = 0.5  # seconds between two looks at whether to stop
SHOWN_FOLDERS: Final = 20
_UID: Final = re.compile(rb"\bUID (\d+)")
_FLAGS: Final = re.compile(rb"\bFLAGS \(([^()]*)\)")
_WIRE_ERRORS: Final = {  # of imaplib, most of which quote the line that was read
    "EOF": "the server hung up",
    "unterminated line": "the server hung up within an answer",
    "got more than": "an answer was too long",
    "unexpected": "an answer was not understood",
    "violates": "an answer was not understood",
    "socket error": "the connection broke",
}
_MISREAD: Final = ("got more than", "unexpected response", "unexpected tagged response")  # as imaplib's errors begin
_LOG = logging.getLogger("reclamo")
_WIRE = logging.getLogger("imapclient")
_Result = TypeVar("_Result")
Stop = Callable[[], bool]


@dataclass(frozen=True, kw_only=True)
class ConnectionOptions:
    """How a server is reached.

    Attributes:
        ca_file: certificates to trust, PEM; those of the system by default.
        allow_plaintext: whether the password may go unencrypted to another machine that has no STARTTLS.
        writable: SELECT, for keywords; else EXAMINE, in which nothing can be changed.
        connect_seconds, read_seconds: how long to wait for a connection and for an answer.
        attempts: connections to try in a row before giving up; None never gives up.
        pause, longest_pause: seconds before the second attempt, doubled after each, and their bound.
        renew_seconds: how long one IDLE lasts; servers may hang up after 30 minutes (RFC 2177), routers before that.
        poll_seconds: between two looks at a server without IDLE.
    """

    ca_file: Path | None = None
    allow_plaintext: bool = False
    writable: bool = False
    connect_seconds: float = 30
    read_seconds: float = 60
    attempts: int | None = 8
    pause: float = 1
    longest_pause: float = 60
    renew_seconds: float = 9 * 60
    poll_seconds: float = 30


class Client(IMAPClient):  # type: ignore[misc]
    """IMAPClient with flags that cannot be taken for those of another message, and an IDLE that misses nothing."""

    def catch_up(self) -> None:
        """Have the server tell of mail that came since, which it need not do otherwise."""
        self.noop()
        self._imap.untagged_responses.pop("EXISTS", None)

    @property
    def has_news(self) -> bool:
        """Whether the server told of new mail since `catch_up`, by the way; it does so once, and IDLE would not hear of it again."""
        return "EXISTS" in self._imap.untagged_responses

    def flags_of(self, uids: Iterable[int]) -> dict[int, tuple[str, ...]]:
        """Give the flags of messages that are still there.

        Answers that nobody asked for carry a sequence number and no UID, and `fetch` would take the one for the other; it also stops
        at a flag with a bracket.
        """
        status, data = self._imap.uid("FETCH", ",".join(map(str, uids)), "(FLAGS)")
        self._checkok("fetch", status, data)
        answers = [(_UID.search(line), _FLAGS.search(line)) for line in data if isinstance(line, bytes)]
        return {int(uid[1]): tuple(flags[1].decode("ascii", "replace").split()) for uid, flags in answers if uid and flags}

    def search_parts(self, parts: Sequence[str | bytes]) -> list[int]:
        """Search by UID with criteria as they go over the wire; bytes are UTF-8 and go as literals.

        IMAPClient quotes only some of the words that have to be quoted, and cannot end a parenthesis with a literal.
        """
        tag, has_literals = self._imap._new_tag(), any(isinstance(part, bytes) for part in parts)
        has_plus = self.has_capability("LITERAL+")
        line = tag + (b" UID SEARCH CHARSET UTF-8 " if has_literals else b" UID SEARCH ")
        for part in parts:
            if isinstance(part, str):
                line += part.encode("ascii")
            else:
                self._imap.send(line.rstrip(b" "))
                self._send_literal(tag, part, has_plus)
                line = b""
        self._imap.send(line + b"\r\n")
        status, data = self._imap._untagged_response(*self._imap._command_complete("SEARCH", tag), "SEARCH")
        self._checkok("search", status, data)
        return [int(uid) for line in data if line for uid in line.split() if uid.isdigit()]

    def _poll_socket(self, sock: Any, timeout: float | None = None) -> Any:
        """Look into the buffer first: an answer that came along with the one before is no longer in the socket."""
        with suppress(OSError, ValueError):
            if self._imap.file.peek(1):
                return True
        return super()._poll_socket(sock, timeout)


class ImapFolder:
    """A folder that is opened when it is first used and after each dropped connection.

    Raises:
        SourceError: the server cannot be reached, does not let the user in, or has no such folder; the connection was lost
            more often in a row than `attempts`; the folder was renumbered (UIDVALIDITY) while it was read.
    """

    def __init__(self, url: ImapUrl, options: ConnectionOptions = ConnectionOptions()) -> None:
        self.url, self.options = url, options
        self.stop: Stop = lambda: False
        self.selected: Mapping[bytes, Any] = {}
        self._client: Client | None = None
        if _WIRE.level == logging.NOTSET:
            _WIRE.setLevel(logging.WARNING)  # below that it logs what goes over the wire: messages

    @property
    def uid_validity(self) -> int:
        """The number that changes when the server gives its messages other UIDs."""
        if not self.selected:
            self.run(lambda client: None)
        return int(self.selected[b"UIDVALIDITY"])

    def run(self, do: Callable[[Client], _Result], *, misread: int | None = None) -> _Result:
        """Do something with the folder; where the connection drops, connect again and do it anew.

        An answer that was not understood `misread` times is an IMAPClientError; it may be so each time.
        """
        failures = misreads = 0
        while True:
            try:
                return do(self._connected())
            except (OSError, IMAPClientError) as error:
                if self._client is not None and not _is_lost(error):
                    raise
                misreads += self._client is not None and is_misread(error)
                self._drop()
                if misreads == misread:
                    raise
                failures += 1
                self._wait_to_reconnect(error, failures)

    def ask(self, do: Callable[[Client], _Result]) -> _Result:
        """Do as `run` does; a refusal of the server is an error of the source."""
        try:
            return self.run(do)
        except IMAPClientError as error:
            raise SourceError(f"the server refused ({server_says(error)}); try again later", path=str(self.url)) from error

    def wait(self) -> None:
        """Wait until the folder may hold something new, or `stop` says so."""
        before = self._client

        def wait(client: Client) -> None:
            if client is before and not client.has_news:  # mail that came before a new connection is no news to that one
                if client.has_capability("IDLE"):
                    self._idle(client)
                else:
                    self._sleep(self.options.poll_seconds)  # the next pass asks

        self.ask(wait)

    def close(self) -> None:
        """Leave the server."""
        client, self._client = self._client, None
        if client is not None:
            try:
                client.logout()
            except (OSError, IMAPClientError):
                with suppress(OSError):
                    client.shutdown()

    def _idle(self, client: Client) -> None:
        client.idle()
        end = time.monotonic() + self.options.renew_seconds
        answers: list[Any] = []
        while not self.stop() and time.monotonic() < end and not _has_new(answers):
            start = time.monotonic()
            answers = client.idle_check(timeout=SLICE)
            if not answers and time.monotonic() - start < SLICE / 2:
                break  # readable, and nothing to read: the server is gone, which the next command shows
        client.idle_done()

    def _sleep(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not self.stop() and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, SLICE))

    def _wait_to_reconnect(self, error: Exception, failures: int) -> None:
        if self.stop():
            raise Stopped from error
        attempts = self.options.attempts
        if not self.selected:
            raise SourceError(
                f"cannot be reached ({server_says(error)}); see whether host and port are right", path=str(self.url)
            ) from error
        if attempts is not None and failures >= attempts:
            why = f"the connection was lost {failures} times in a row ({server_says(error)}); the same command goes on"
            raise SourceError(why, path=str(self.url)) from error
        pause = min(self.options.pause * 2 ** (failures - 1), self.options.longest_pause)
        _LOG.warning("%s: the connection was lost (%s); connecting again in %g s", self.url, server_says(error), pause)
        self._sleep(pause)

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with suppress(OSError, IMAPClientError):
                client.shutdown()

    def _connected(self) -> Client:
        if self._client is None:
            client = self._connect()
            try:
                self._protect(client)
                self._log_in(client)
                self._select(client)
            except BaseException:
                with suppress(OSError, IMAPClientError):
                    client.shutdown()
                raise
            self._client = client
        return self._client

    def _connect(self) -> Client:
        timeout = SocketTimeout(self.options.connect_seconds, self.options.read_seconds)
        try:
            context = self._context() if self.url.encrypted else None
            return Client(self.url.host, self.url.port, ssl=self.url.encrypted, ssl_context=context, timeout=timeout)
        except ssl.SSLCertVerificationError as error:
            raise self._distrusted(error) from error

    def _context(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=self.options.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise SourceError(f"no certificates could be read ({error}); expected a PEM file", path=self.options.ca_file) from error

    def _protect(self, client: Client) -> None:
        """Make sure that the password does not go unencrypted to another machine (RFC 8314)."""
        if self.url.encrypted or (self.url.is_loopback and not client.has_capability("LOGINDISABLED")):
            return
        if client.has_capability("STARTTLS"):
            try:
                client.starttls(self._context())
            except ssl.SSLCertVerificationError as error:
                raise self._distrusted(error) from error
        elif not self.options.allow_plaintext:
            why = "offers no STARTTLS, so the password would go unencrypted; use imaps://, or --allow-plaintext if the network is yours"
            raise SourceError(why, path=str(self.url))

    def _distrusted(self, error: ssl.SSLCertVerificationError) -> SourceError:
        why = f"its certificate is not trusted ({error.verify_message}); --ca-file FILE.pem names another authority to trust"
        return SourceError(why, path=str(self.url))

    def _log_in(self, client: Client) -> None:
        user, password = self.url.user, self.url.password
        try:
            if client.has_capability("AUTH=PLAIN"):
                client.plain_login(user, password)  # UTF-8, and no quoting
            else:
                client.login(_quoted(user), password)
        except UnicodeError:
            raise SourceError("takes only ASCII for user and password; choose another password", path=str(self.url)) from None
        except LoginError as error:
            if isinstance(error.__context__, IMAPClientAbortError) or self.selected:
                raise IMAPClientAbortError(str(error)) from error  # was let in before: try again
            why = f"did not let the user in ({server_says(error)}); see user and password, and whether it wants a password for programs"
            raise SourceError(why, path=str(self.url)) from error

    def _select(self, client: Client) -> None:
        try:
            selected = client.select_folder(self.url.folder, readonly=not self.options.writable)
        except IMAPClientReadOnlyError as error:
            raise SourceError("the server gives the folder for reading only; keywords cannot be set", path=str(self.url)) from error
        except IMAPClientAbortError:
            raise
        except IMAPClientError as error:
            raise SourceError(f"cannot be opened ({server_says(error)}); {_folders(client)}", path=str(self.url)) from error
        if not selected.get(b"UIDVALIDITY"):
            raise SourceError("the server gives no UIDVALIDITY, without which its messages have no lasting numbers", path=str(self.url))
        was, now = self.selected.get(b"UIDVALIDITY"), selected[b"UIDVALIDITY"]
        if was not in (None, now):
            raise SourceError(renumbered(was, now), path=str(self.url))
        self.selected = selected


def renumbered(was: object, now: object) -> str:
    """Say that the UIDs of a folder mean other messages now."""
    return f"UIDVALIDITY was {was} and is {now}: the server has renumbered the folder, what is done cannot be told; --again starts anew"


def _is_lost(error: Exception) -> bool:
    """Whether a new connection can help: this one was dropped, or an answer was too long for imaplib or not understood."""
    if isinstance(error, IMAPClientReadOnlyError):
        return False
    return isinstance(error, (OSError, IMAPClientAbortError, ProtocolError)) or "got more than" in str(error)


def is_misread(error: Exception) -> bool:
    """Whether an answer came and was too long for imaplib, or not understood."""
    return isinstance(error, ProtocolError) or (isinstance(error, IMAPClientError) and str(error).startswith(_MISREAD))


def _has_new(answers: Sequence[Any]) -> bool:
    return any(len(answer) > 1 and answer[1] == b"EXISTS" for answer in answers)


def _folders(client: Client) -> str:
    try:
        names = [str(name) for _, _, name in client.list_folders()]
    except (IMAPClientError, ValueError):
        return "see the name of the folder"
    return f"the folders are {', '.join(names[:SHOWN_FOLDERS])}" + (" …" if len(names) > SHOWN_FOLDERS else "")


def _quoted(text: str) -> str:
    """A quoted string of IMAP; imaplib quotes the password and not the user."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def server_says(error: Exception) -> str:
    """Say what went wrong without what the server sent last: that may be a part of a message."""
    if isinstance(error, OSError):
        return error.strerror or str(error) or type(error).__name__
    if isinstance(error, ProtocolError):
        return "an answer was not understood"  # it quotes what it stumbled over
    text = " ".join(str(error).removeprefix("b'").removesuffix("'").split())[:200]
    return next((plain for sign, plain in _WIRE_ERRORS.items() if sign in text), text or type(error).__name__)
