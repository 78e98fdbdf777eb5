"""Ids that stay unique within a source, in bounded memory."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from reclamo.message import Message, without_surrogates

_START: Final = 1 << 20  # slots of eight bytes: 8 MiB serve 600,000 messages before the table grows
_FULL: Final = 0.6


class UniqueIds:
    """Hands out ids; one that was handed out before gets `#2`, `#3` and so on.

    Only a 64-bit hash of each id is kept, in one flat table, so a million messages cost 16 MiB. Two different ids with one
    hash would at worst give the second one a needless suffix.
    """

    def __init__(self) -> None:
        self._slots = array("Q", (0,)) * _START
        self._used = 0
        self._repeats: dict[int, int] = {}

    def take(self, wanted: str) -> str:
        """Give `wanted`, or `wanted` with the first free suffix; what cannot be written becomes U+FFFD."""
        wanted = without_surrogates(wanted)
        key = _hash(wanted)
        if self._add(key):
            return wanted
        number = self._repeats.get(key, 1)
        while True:
            number += 1
            candidate = f"{wanted}#{number}"
            if self._add(_hash(candidate)):
                self._repeats[key] = number
                return candidate

    def _add(self, key: int) -> bool:
        """Put a key into the table; False where it was there."""
        if self._used > _FULL * len(self._slots):
            self._grow()
        if not _insert(self._slots, key):
            return False
        self._used += 1
        return True

    def _grow(self) -> None:
        larger = array("Q", (0,)) * (2 * len(self._slots))
        for key in self._slots:
            if key:
                _insert(larger, key)
        self._slots = larger


def with_unique_ids(messages: Iterable[Message]) -> Iterator[Message]:
    """Give the messages of a source whose rows may repeat an id; the second one of an id becomes `id#2`."""
    ids = UniqueIds()
    for message in messages:
        id = ids.take(message.id)
        yield message if id == message.id else replace(message, id=id)


def _insert(slots: array[int], key: int) -> bool:
    mask = len(slots) - 1
    place = key & mask
    while slots[place]:
        if slots[place] == key:
            return False
        place = (place + 1) & mask
    slots[place] = key
    return True


def _hash(text: str) -> int:
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little") or 1
