"""docs/retrain.md, followed to the letter."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.commands import run_command
from tests.conftest import ROOT

pytest.importorskip("torch")
TEXT = (ROOT / "docs" / "retrain.md").read_text(encoding="utf-8")


def test_the_tutorial_makes_a_tagger(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = dict(re.findall(r"^`([\w.-]+)`:\n\n```\w+\n(.*?)```", TEXT, re.S | re.M))
    assert set(files) == {"helpline.toml", "rows.jsonl", "helpline-train.toml", "more.jsonl", "helpline-small.toml"}
    for name, content in files.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    for name in ("train.py", "evaluate.py", "data"):
        (tmp_path / name).symlink_to(ROOT / name)
    commands = re.findall(r"```sh\n(.*?)\n```", TEXT, re.S)
    commands += re.findall(r"`(reclamo labels[^`]*|reclamo corpus audit[^`]*)`", TEXT)
    assert len(commands) == 6
    for line in commands:
        assert run_command(line, tmp_path) == 0, (line, capsys.readouterr())
    assert (tmp_path / "tags.csv").read_text(encoding="utf-8").count("\n") == 15
    assert "urgent" in (tmp_path / "helpline" / "README.md").read_text(encoding="utf-8")
    student = json.loads((tmp_path / "helpline-small" / "manifest.json").read_text(encoding="utf-8"))
    assert student["training"]["distilled_from"]["name"] == "helpline"
