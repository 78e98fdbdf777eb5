"""What was computed once, kept in the user's cache folder for faster starts. Whatever goes wrong here only costs time."""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from pathlib import Path
from typing import Final

VARIABLE: Final = "RECLAMO_CACHE"
KEPT: Final = 6  # of each name: a few taggers, with one thread and with all
DIGEST_BYTES: Final = 32
log = logging.getLogger("reclamo")


def cache_folder() -> Path | None:
    """Find the user's cache folder: `RECLAMO_CACHE` (`off` for none), else `$XDG_CACHE_HOME/reclamo`, else `~/.cache/reclamo`."""
    named = os.environ.get(VARIABLE)
    if named:
        return None if named == "off" else Path(named)
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "reclamo"
    except RuntimeError:  # no home
        return None


class Cache:
    """Blobs by name and key in one folder; without a folder it holds nothing.

    A key names everything that a blob depends on, so that a blob is never stale. A blob carries its SHA-256: one that was cut
    or altered is as good as none.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def read(self, name: str, key: str) -> memoryview | None:
        """Give a blob, in memory that belongs to the caller alone, or None."""
        if self.folder is None:
            return None
        try:
            with self._path(name, key).open("rb") as file:
                # Read in place and viewed, not sliced: a copy of a compiled network costs as much as a tenth of a short run.
                found = bytearray(os.fstat(file.fileno()).st_size)
                view = memoryview(found)[: file.readinto(found)]
        except OSError:
            return None
        digest, blob = view[:DIGEST_BYTES], view[DIGEST_BYTES:]
        return blob if hashlib.sha256(blob).digest() == digest else None

    def write(self, name: str, key: str, blob: bytes | memoryview) -> None:
        """Keep a blob, in one rename; a folder that cannot be written is left alone."""
        if self.folder is None:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._put(self._path(name, key), hashlib.sha256(blob).digest(), blob)
            self._prune(name)
        except OSError as error:
            log.info("nothing kept in the cache folder (%s)", error.strerror)

    def _put(self, path: Path, *parts: bytes | memoryview) -> None:
        number, fresh = tempfile.mkstemp(dir=self.folder)
        try:
            with os.fdopen(number, "wb") as file:
                file.writelines(parts)
            Path(fresh).replace(path)
        except BaseException:
            Path(fresh).unlink(missing_ok=True)
            raise

    def _path(self, name: str, key: str) -> Path:
        assert self.folder is not None
        return self.folder / f"{name}-{hashlib.sha256(key.encode()).hexdigest()[:32]}.bin"

    def _prune(self, name: str) -> None:
        assert self.folder is not None
        newest = sorted(self.folder.glob(f"{name}-*.bin"), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in newest[KEPT:]:
            path.unlink(missing_ok=True)
