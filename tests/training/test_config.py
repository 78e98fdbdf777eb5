"""Where a training writes to, when its configuration does not say."""

from __future__ import annotations

from pathlib import Path

import pytest

from reclamo.training.config import load_config

NAMED = '[model]\nname = "helpline"\n'


@pytest.mark.parametrize(
    ("text", "run", "output"),
    [
        ("", "runs/tagger", "runs/tagger/tagger"),
        (NAMED, "runs/helpline", "runs/helpline/tagger"),
        ('run = "elsewhere"\n' + NAMED, "elsewhere", "elsewhere/tagger"),
        ('output = "mine"\n' + NAMED, "runs/helpline", "mine"),
    ],
)
def test_folders_are_the_tagger_s_own(tmp_path: Path, text: str, run: str, output: str) -> None:
    path = tmp_path / "train.toml"
    path.write_text(f'{text}[data]\ncorpus = ["rows"]\n', encoding="utf-8")
    config = load_config(path)
    assert (config.run, config.output) == (run, output)
    if not text:
        assert load_config(path, {"model.name": "other"}).output == "runs/other/tagger"
