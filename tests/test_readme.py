"""The README's commands and Python blocks do what they say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.commands import run_command
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
SHELL = [line for block in re.findall(r"```sh\n(.*?)```", README, re.S) for line in block.splitlines()]
PYTHON = re.findall(r"```python\n(.*?)```", README, re.S)


def test_the_first_two_commands_set_themselves_up() -> None:
    assert [line.startswith("python3 -m venv .venv && .venv/bin/pip install") for line in SHELL[:2]] == [True, True]
    assert "data/samples/inbox.mbox" in SHELL[0]
    assert SHELL[1].endswith("-m pytest")


def test_every_other_command_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("data", "configs", "models", "base", "train.py"):
        if (ROOT / name).exists():
            (tmp_path / name).symlink_to(ROOT / name)
    env = {"RECLAMO_CACHE": str(tmp_path / "cache")}  # as users have it: the network is compiled once
    for line in SHELL[2:]:
        assert run_command(line, tmp_path, env) == 0, (line, capsys.readouterr().err[-2000:])
    assert len((tmp_path / "tags.jsonl").read_text(encoding="utf-8").splitlines()) == 39
    assert (tmp_path / "tags.csv").read_text(encoding="utf-8").count("\n") >= 25
    assert (tmp_path / "runs" / "trial" / "tagger" / "manifest.json").exists()


def test_the_python_blocks_run(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, object] = {}
    for block in PYTHON:
        exec(compile(block, "README.md", "exec"), names)
    assert capsys.readouterr().out
