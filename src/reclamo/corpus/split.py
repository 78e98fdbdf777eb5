"""Split a corpus by groups, stratified over labels and languages (after Sechidis et al., 2011), and lock the splits."""

from __future__ import annotations

import hashlib
import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from reclamo.corpus.example import Example
from reclamo.errors import CorpusError

SPLITS: Final = ("train", "validation", "test")
LOCK: Final = "splits.lock.json"


def strata(example: Example) -> list[str]:
    """What a split should hold its share of: the language, and each label within it. Example: ["es", "es/grounds=delay"]."""
    lang = example.lang or "?"
    found = [lang]
    for head, value in example.labels.items():
        labels = value if isinstance(value, tuple) else (str(value),)
        found += [f"{lang}/{head}={label}" for label in labels]
    return found


def split_by_group(examples: Sequence[Example], shares: Mapping[str, float], *, seed: int = 0) -> list[Example]:
    """Give every example a split, whole groups together.

    Groups that hold the rarest unplaced stratum are placed first, each into the split that still wants most of it.

    Args:
        shares: of the splits, such as {"train": 0.8, "validation": 0.2}.
    """
    groups: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        groups[example.group].append(example)
    order = sorted(groups)
    random.Random(seed).shuffle(order)
    counts = {name: Counter(s for e in groups[name] for s in strata(e)) for name in order}
    left: Counter[str] = sum(counts.values(), Counter())
    wanted = {split: {s: share * n for s, n in left.items()} for split, share in shares.items()}
    holders: dict[str, set[str]] = defaultdict(set)
    for name in order:
        for stratum in counts[name]:
            holders[stratum].add(name)
    rank = {name: position for position, name in enumerate(order)}
    chosen: dict[str, str] = {}
    while len(chosen) < len(order):
        rarest = min((s for s, n in left.items() if n > 0), key=lambda s: (left[s], s))
        for name in sorted(holders[rarest] - chosen.keys(), key=rank.__getitem__):
            split = max(shares, key=lambda k: (wanted[k][rarest], sum(wanted[k][s] for s in counts[name])))
            chosen[name] = split
            for stratum, n in counts[name].items():
                left[stratum] -= n
                wanted[split][stratum] -= n
        left[rarest] = 0
    return [replace(e, meta={**e.meta, "split": chosen[e.group]}) for e in examples]


def checksums(examples: Iterable[Example]) -> dict[str, str]:
    """One checksum for each split over its ids and texts, whatever their order."""
    lines: dict[str, list[str]] = defaultdict(list)
    for example in examples:
        digest = hashlib.sha256(example.text.encode()).hexdigest()
        lines[example.split or "none"].append(f"{example.id} {digest}")
    return {split: hashlib.sha256("\n".join(sorted(rows)).encode()).hexdigest() for split, rows in sorted(lines.items())}


def write_lock(path: Path, examples: Iterable[Example]) -> None:
    """Write the checksums of the splits."""
    path.write_text(json.dumps(checksums(examples), indent=1) + "\n", encoding="utf-8")


def check_lock(path: Path, examples: Iterable[Example]) -> None:
    """Compare the splits with their lock.

    Raises:
        CorpusError: a split has changed since it was locked.
    """
    locked = json.loads(path.read_text(encoding="utf-8"))
    found = checksums(examples)
    changed = sorted(split for split in locked.keys() | found.keys() if locked.get(split) != found.get(split))
    if changed:
        raise CorpusError(f"the split {', '.join(changed)} is not the one that was locked; restore it, or lock it anew", path=path)
