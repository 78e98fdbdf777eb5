"""A stop in the midst of a run, at one step of the journal."""

from __future__ import annotations

import pytest

from reclamo.sinks import journal


class Halt(BaseException):
    """Stands for a stop at one step."""


def halt_at(count: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stop at the step of that number, at none for 0; give the steps that are met."""
    met: list[str] = []

    def meet(name: str) -> None:
        met.append(name)
        if len(met) == count:
            raise Halt(name)

    monkeypatch.setattr(journal, "on_step", meet)
    return met
