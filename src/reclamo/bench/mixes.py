"""Messages to measure on: real ones, drawn so that their mean length is as asked."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from reclamo.errors import UsageError

MEANS: Final = (63, 183)
TILT: Final = 20.0  # per token; far beyond what any mean within the range of lengths needs


@dataclass(frozen=True, kw_only=True)
class Mix:
    """Texts with their lengths in tokens, special ones too."""

    name: str
    texts: tuple[str, ...]
    lengths: tuple[int, ...]

    @property
    def mean(self) -> float:
        """Tokens a message, on average."""
        return sum(self.lengths) / len(self.lengths)


def draw_mix(texts: Sequence[str], lengths: Sequence[int], mean: float, count: int, seed: int = 7) -> Mix:
    """Draw messages whose mean length is about `mean`, the shape of the length distribution kept as far as that allows.

    A message of n tokens is drawn with probability proportional to exp(s n), with the one s that gives the mean asked for.

    Raises:
        UsageError: no message is shorter, or none is longer, than the mean asked for.
    """
    sizes = np.array(lengths, dtype=np.float64)
    if not len(sizes) or not sizes.min() < mean < sizes.max():
        raise UsageError(f"no mix of {mean} tokens on average can be drawn from these messages; give --data with longer and shorter ones")
    order = np.argsort(sizes, kind="stable")
    reached = np.cumsum(tilted_weights(sizes[order], mean))
    points = (np.arange(count) + 0.5) / count  # evenly spaced, so that few draws too have the mean asked for
    chosen = [int(order[k]) for k in np.minimum(np.searchsorted(reached, points), len(order) - 1)]
    random.Random(seed).shuffle(chosen)
    return Mix(name=f"{mean:g} tokens", texts=tuple(texts[k] for k in chosen), lengths=tuple(lengths[k] for k in chosen))


def tilted_weights(sizes: np.ndarray[tuple[int], np.dtype[np.float64]], mean: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Give the probabilities exp(s n) / sum whose mean is `mean`. Example: sizes [1, 3], mean 2 -> [0.5, 0.5]."""
    low, high = -TILT, TILT
    for _ in range(80):
        middle = (low + high) / 2
        exponents = middle * (sizes - mean)
        weights = np.exp(exponents - exponents.max())
        weights /= weights.sum()
        low, high = (middle, high) if float(weights @ sizes) < mean else (low, middle)
    return np.asarray(weights)


def corpus_texts(folder: Path) -> list[str]:
    """Read the training messages of a corpus folder.

    Raises:
        UsageError: the folder has no `*.train.jsonl`.
    """
    files = sorted(folder.glob("*.train.jsonl"))
    if not files:
        raise UsageError("has no *.train.jsonl; give --data the folder of a corpus", path=folder)
    return [str(json.loads(line)["text"]) for file in files for line in file.read_text(encoding="utf-8").splitlines() if line]


def inbox_texts(path: Path) -> list[str]:
    """Read what writers wrote in the mails of an mbox."""
    from reclamo.sources import SourceOptions, open_source

    return [message.text for message in open_source(str(path), SourceOptions()) if message.problem is None and message.text]


def build_mixes(folder: Path, count_tokens: Callable[[Sequence[str]], list[int]], messages: int) -> list[Mix]:
    """Give the mixes of 63 and 183 tokens, and the sample inbox where the folder has it.

    Args:
        messages: how many to draw for the short mix; the long one has half as many.
    """
    texts = corpus_texts(folder)
    lengths = count_tokens(texts)
    mixes = [draw_mix(texts, lengths, mean, messages if mean < 100 else messages // 2) for mean in MEANS]
    inbox = folder / "samples" / "inbox.mbox"
    if inbox.exists():
        mails = inbox_texts(inbox)
        mixes.append(Mix(name="sample inbox", texts=tuple(mails), lengths=tuple(count_tokens(mails))))
    return mixes
