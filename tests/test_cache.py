"""The cache folder: what is kept comes back whole or not at all, and nothing that fails here stops anybody."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from reclamo.artefact import open_artefact
from reclamo.cache import KEPT, Cache, cache_folder
from reclamo.engine.runtime import Runtime

IDS, MASK = np.array([[0, 5, 6, 7, 2]]), np.ones((1, 5), dtype=np.int64)


def test_the_folder_by_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RECLAMO_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.setenv("RECLAMO_CACHE", "off")
    assert cache_folder() is None
    monkeypatch.delenv("RECLAMO_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "reclamo"


def test_a_blob_comes_back_under_its_key_alone_and_only_whole(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "new")
    cache.write("network", "a", b"blob of a")
    assert (cache.read("network", "a"), cache.read("network", "b"), cache.read("languages", "a")) == (b"blob of a", None, None)
    (path,) = (tmp_path / "new").iterdir()
    whole = path.read_bytes()
    for broken in (whole[:-1], whole[:20], b"", whole[:-1] + b"x"):
        path.write_bytes(broken)
        assert cache.read("network", "a") is None


def test_a_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))  # stands for a full disk
    try:
        Cache(tmp_path).write("network", "a", b"x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []


def test_old_blobs_go(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    for number in range(KEPT + 3):
        cache.write("network", str(number), b"x")
        for path in tmp_path.iterdir():
            os.utime(path, (path.stat().st_atime - 10, path.stat().st_mtime - 10))
    assert len(list(tmp_path.iterdir())) == KEPT
    assert cache.read("network", str(KEPT + 2)) == b"x"


def test_a_folder_that_cannot_be_written_costs_time_only(tiny_tagger: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "a file where the folder should be"
    blocked.write_text("", encoding="utf-8")
    runtime = Runtime(open_artefact(tiny_tagger).network, cache=blocked / "cache", identity="x")
    assert runtime(IDS, MASK)[0].shape[0] == 1


def test_a_kept_network_answers_the_same_and_another_one_is_never_served(tiny_tagger: Path, tmp_path: Path) -> None:
    network = open_artefact(tiny_tagger).network
    plain = Runtime(network)(IDS, MASK)[0]
    first = Runtime(network, cache=tmp_path, identity="one")
    assert np.array_equal(first(IDS, MASK)[0], plain)
    (kept,) = tmp_path.iterdir()
    again = Runtime(tmp_path / "not read at all.xml", cache=tmp_path, identity="one")
    assert np.array_equal(again(IDS, MASK)[0], plain)
    Runtime(network, cache=tmp_path, identity="two")(IDS, MASK)
    Runtime(network, cache=tmp_path, identity="one", precision="fp32")(IDS, MASK)
    assert len(list(tmp_path.iterdir())) == 3
    kept.write_bytes(kept.read_bytes()[:1000])
    assert np.array_equal(Runtime(network, cache=tmp_path, identity="one")(IDS, MASK)[0], plain)
