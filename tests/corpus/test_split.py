"""Splits: whole groups, fair shares, the lock."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from reclamo.corpus import Example
from reclamo.corpus.split import check_lock, split_by_group, write_lock
from reclamo.errors import CorpusError

SHARES = {"train": 0.7, "validation": 0.1, "test": 0.2}


def corpus(n: int) -> list[Example]:
    rng = random.Random(3)
    return [
        Example(
            id=str(i),
            text=f"text {i}",
            lang=rng.choice(("es", "el", "it")),
            labels={"grounds": tuple(g for g, p in (("common", 0.5), ("rare", 0.06)) if rng.random() < p)},
            meta={"scenario": f"s{i // 2}"},
        )
        for i in range(n)
    ]


def test_groups_stay_whole_and_shares_are_kept_even_of_rare_labels() -> None:
    split = split_by_group(corpus(1200), SHARES)
    by_group: dict[str, set[str | None]] = {}
    for example in split:
        by_group.setdefault(example.group, set()).add(example.split)
    assert all(len(found) == 1 for found in by_group.values())
    for keep in (lambda e: True, lambda e: e.lang == "el", lambda e: "rare" in e.labels["grounds"]):
        kept = [e for e in split if keep(e)]
        for name, share in SHARES.items():
            assert sum(e.split == name for e in kept) / len(kept) == pytest.approx(share, abs=0.05)


def test_the_same_seed_gives_the_same_split_whatever_the_order() -> None:
    examples = corpus(200)
    there = {e.id: e.split for e in split_by_group(examples, SHARES, seed=1)}
    again = {e.id: e.split for e in split_by_group(examples[::-1], SHARES, seed=1)}
    assert there == again
    assert there != {e.id: e.split for e in split_by_group(examples, SHARES, seed=2)}


def test_a_changed_split_breaks_the_lock(tmp_path: Path) -> None:
    split = split_by_group(corpus(100), SHARES)
    write_lock(tmp_path / "lock.json", split)
    check_lock(tmp_path / "lock.json", split[::-1])
    moved = [e for e in split if e.split != "test"] + [e for e in split if e.split == "test"][1:]
    with pytest.raises(CorpusError, match="the split test is not the one"):
        check_lock(tmp_path / "lock.json", moved)
