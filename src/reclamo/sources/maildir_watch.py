"""A Maildir that is followed: each message once, as it comes, across restarts."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from reclamo.errors import SourceError
from reclamo.mail import Limits
from reclamo.mail.maildir import is_inside, is_maildir, without_flags
from reclamo.message import Message, Problem, without_surrogates
from reclamo.sources.mailfile import read_file, read_one
from reclamo.sources.passes import Passes

POLL: Final = 1.0  # seconds between two looks
TICK: Final = 2.0  # a folder that changed this little before it was read may change again within the same tick of its clock
FOLDERS: Final = ("new", "cur")  # in this order, in which a message that moves meanwhile is met twice rather than never


class MaildirMessages(Passes):
    """The messages of `new` and `cur`, by name without flags; iterated again, those that came since.

    Ids are those names, which Maildir keeps unique and which stay when a mail program moves a message from `new` to `cur` or changes its
    flags: so that what is done can be told without reading it. No file is touched or moved. One that is deleted before it was read is
    left out.

    Raises:
        SourceError: the folder is no Maildir, or cannot be read.
    """

    def __init__(self, path: Path, limits: Limits = Limits(), include_automatic: bool = False) -> None:
        super().__init__()
        self.path, self.limits, self.include_automatic = path, limits, include_automatic
        if not is_maildir(path):
            raise SourceError("no Maildir here; --watch expected the folders cur and new, or an IMAP folder", path=path)
        self.fingerprint: Mapping[str, Any] = {"path": str(path.resolve()), "followed": True}
        self._done: set[str] = set()
        self._seen: tuple[int, ...] = ()

    def resume(self, last_id: str, done: Callable[[], Iterable[str]]) -> None:
        """Leave out the messages that are done."""
        self._done.update(done())

    def wait(self, stop: Callable[[], bool]) -> None:
        """Wait until the Maildir changed since it was last listed, or `stop` says so."""
        while not stop():
            time.sleep(POLL)  # first, since a folder with a recent time, or one ahead of the clock, counts as changed at each look
            if self._times() != self._seen:
                return

    def close(self) -> None:
        """Do nothing; there is nothing to close."""

    def _read(self) -> Iterator[Message]:
        times = self._times()
        self._seen = times if time.time_ns() - max(times) > TICK * 1e9 else ()
        files = self._files()
        for name in sorted(files.keys() - self._done):
            message = self._message(name, files[name])
            self._done.add(name)
            if message is not None:
                yield message

    def _message(self, name: str, path: Path | None) -> Message | None:
        """Read a message wherever it lies by now; None where it is gone."""
        while path is not None:
            try:
                mail = read_one(read_file(path, self.limits), path.suffix, self.limits)
                return mail.to_message(name, include_automatic=self.include_automatic)
            except FileNotFoundError:
                path = self._files().get(name)
            except OSError as error:
                problem = Problem(reason="broken", detail=f"the file could not be read ({error.strerror})")
                return Message(id=name, text="", problem=problem)
        return None

    def _files(self) -> dict[str, Path]:
        try:
            files = [file for folder in FOLDERS for file in (self.path / folder).iterdir()]
        except OSError as error:
            raise SourceError(f"the Maildir could not be read ({error.strerror})", path=self.path) from error
        mail = (file for file in files if not file.name.startswith(".") and is_inside(file, self.path))
        return {_id(file.name): file for file in mail if file.is_file()}

    def _times(self) -> tuple[int, ...]:
        try:
            return tuple((self.path / folder).stat().st_mtime_ns for folder in FOLDERS)
        except OSError as error:
            raise SourceError(f"the Maildir could not be read ({error.strerror})", path=self.path) from error


def _id(name: str) -> str:
    """Give the id of a file: its name without flags; where that is no UTF-8, mended, with a digest of its bytes.

    Two names that are mended to the same one stay apart by the digest, and each keeps its id across restarts.
    """
    name = without_flags(name)
    mended = without_surrogates(name)
    return name if mended == name else f"{mended}#{hashlib.blake2b(os.fsencode(name), digest_size=4).hexdigest()}"
