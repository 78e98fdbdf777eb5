"""Run a command of the documents in this process: the same program, without the seconds that an interpreter takes to import torch."""

from __future__ import annotations

import os
import runpy
import shlex
import sys
from pathlib import Path

import pytest

from reclamo.cli import app
from reclamo.cli.errors import run_guarded


def run_command(line: str, folder: Path, env: dict[str, str] | None = None) -> int:
    """Run `reclamo …` or `python FILE …` in a folder, and give the exit code."""
    program, *arguments = shlex.split(line)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name, value in (env or {}).items():
            patch.setenv(name, value)
        if program == "reclamo":
            patch.setattr(sys, "argv", [program, *arguments])
            return run_guarded(app._run)
        assert program == "python", line
        patch.setattr(sys, "argv", arguments)
        try:
            runpy.run_path(os.fspath(arguments[0]), run_name="__main__")
        except SystemExit as end:
            return int(end.code or 0)
        return 0
