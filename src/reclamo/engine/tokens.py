"""Token ids with offsets, and windows over texts that are longer than the encoder reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from reclamo.errors import ArtefactError

BATCH_COST: Final = 40  # what one more batch costs, in tokens


@dataclass(frozen=True, kw_only=True)
class Unit:
    """What one pass of the network reads: a whole message, or one window of a long one.

    Attributes:
        message: index of the message within the chunk.
        ids: token ids with the special tokens.
        offsets: (tokens, 2) characters of the cleaned text; special tokens have an empty span.
        text: what the network reads here. spans: (tokens, 2) characters of that.
    """

    message: int
    ids: NDArray[np.int64]
    offsets: NDArray[np.int64]
    text: str
    spans: NDArray[np.int64]


class UnitMaker:
    """Cut messages into units of at most `max_tokens`.

    Args:
        path: a tokenizer.json. max_tokens: with the special tokens.
    """

    def __init__(self, path: Path, max_tokens: int) -> None:
        try:
            self.tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:
            raise ArtefactError(f"is no tokenizer ({error}); copy the tagger again, or retrain it", path=path) from error
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()
        special = self.tokenizer.encode("").ids
        self.bos, self.eos = special[:1], special[1:]
        self.room = max_tokens - len(special)
        self.pad = self.tokenizer.token_to_id("<pad>") or 0

    def units(self, texts: Sequence[str]) -> list[Unit]:
        """Tokenise many texts; a text within the limit is one unit, a longer one several, cut at sentence bounds."""
        made: list[Unit] = []
        for index, encoding in enumerate(self.tokenizer.encode_batch(list(texts), add_special_tokens=False)):
            ids = np.array(encoding.ids, dtype=np.int64)
            offsets = np.fromiter(chain.from_iterable(encoding.offsets), dtype=np.int64, count=2 * len(ids)).reshape(-1, 2)
            for start, end in self._bounds(texts[index], offsets):
                made.append(self._unit(index, texts[index], ids[start:end], offsets[start:end]))
        return made

    def _unit(self, message: int, text: str, ids: NDArray[np.int64], offsets: NDArray[np.int64]) -> Unit:
        none = np.zeros((1, 2), dtype=np.int64)
        first, last = (int(offsets[0, 0]), int(offsets[-1, 1])) if len(offsets) else (0, 0)
        before, after = none[: len(self.bos)], none[: len(self.eos)]
        return Unit(
            message=message,
            ids=np.concatenate([self.bos, ids, self.eos]).astype(np.int64),
            offsets=np.concatenate([before, offsets, after]),
            text=text[first:last],
            spans=np.concatenate([before, offsets - first, after]),
        )

    def _bounds(self, text: str, offsets: NDArray[np.int64]) -> list[tuple[int, int]]:
        if len(offsets) <= self.room:
            return [(0, len(offsets))]
        from reclamo.text.sentences import sentence_starts

        starts = np.searchsorted(offsets[:, 0], np.array(sentence_starts(text), dtype=np.int64))
        return pack_windows(sorted({int(s) for s in starts if s < len(offsets)} | {0}), len(offsets), self.room)


def pack_windows(starts: Sequence[int], total: int, room: int) -> list[tuple[int, int]]:
    """Pack sentences into windows of at most `room` tokens; a sentence longer than that is cut.

    Example: starts [0, 4, 6, 9], total 12, room 7 -> [(0, 6), (6, 12)].
    """
    windows: list[tuple[int, int]] = []
    begin, end = 0, 0
    for next_start in [*starts[1:], total]:
        if next_start - begin > room:
            if end > begin:
                windows.append((begin, end))
                begin = end
            while next_start - begin > room:
                windows.append((begin, begin + room))
                begin += room
        end = next_start
    windows.append((begin, total))
    return windows


def batches_by_tokens(lengths: Sequence[int], tokens_per_batch: int) -> list[list[int]]:
    """Group indices by length, so that (items * longest) stays within `tokens_per_batch` and little is filled up.

    Of all ways to cut the indices, sorted by length, into groups of 1, 2 or a multiple of 4, the one with the least work, counted in
    tokens: each message as long as the longest of its batch, and BATCH_COST for every batch. More sizes would fill up less, but
    the run-time keeps something of every shape that it has seen.
    Example: lengths [9, 40, 3, 10], 80 tokens -> [[2, 0], [3, 1]].
    """
    order = sorted(range(len(lengths)), key=lambda i: (lengths[i], i))
    wide = [round_up(lengths[i]) for i in order]
    least, cut = [0], [0]
    for end in range(1, len(order) + 1):
        longest = max(wide[end - 1], 1)
        most = min(end, max(1, tokens_per_batch // longest))
        sizes = (size for size in (1, 2, *range(4, most + 1, 4)) if size <= most)
        work, start = min((least[end - size] + size * longest, end - size) for size in sizes)
        least.append(work + BATCH_COST)
        cut.append(start)
    groups: list[list[int]] = []
    end = len(order)
    while end:
        groups.append(order[cut[end] : end])
        end = cut[end]
    return groups[::-1]


def round_up(length: int) -> int:
    """Round a length up to a multiple of 4 (of 16 over 128), so that few shapes occur. Examples: 5 -> 8, 130 -> 144."""
    step = 4 if length <= 128 else 16
    return -(-length // step) * step


def pad_batch(units: Sequence[Unit], pad: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Put units into one batch: ids and mask (units, tokens), the length rounded up."""
    width = round_up(max(len(unit.ids) for unit in units))
    ids = np.full((len(units), width), pad, dtype=np.int64)
    mask = np.zeros((len(units), width), dtype=np.int64)
    for line, unit in enumerate(units):
        ids[line, : len(unit.ids)] = unit.ids
        mask[line, : len(unit.ids)] = 1
    return ids, mask
