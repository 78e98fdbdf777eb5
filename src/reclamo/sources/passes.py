"""Sources that give more each time they are iterated: a folder that is followed."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator

from reclamo.message import Message


class Stopped(Exception):
    """The caller asked to stop, and the source could not give the rest of what it was asked for."""


class Passes(Iterator[Message]):
    """An iterator that ends when all that is there was given, and gives what came since when it is asked again."""

    can_grow = True

    def __init__(self) -> None:
        self._pass: Iterator[Message] | None = None

    def stop_when(self, stop: Callable[[], bool]) -> None:
        """Raise `Stopped` while something is waited for, once `stop` says so; a source that waits for nothing need not."""

    @abstractmethod
    def _read(self) -> Iterator[Message]:
        """Give the messages that are there and were not given yet."""

    def __next__(self) -> Message:
        if self._pass is None:
            self._pass = self._read()
        try:
            return next(self._pass)
        except BaseException:
            self._pass = None  # ended, or broken: the next pass begins behind what was given
            raise
