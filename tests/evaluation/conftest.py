"""Fixtures of the evaluation's tests."""

from __future__ import annotations

import pytest
from known import labelled, system

from reclamo.corpus import Example
from reclamo.evaluation.compare import EvaluationSet, System
from reclamo.taxonomy import Taxonomy, load_taxonomy


@pytest.fixture(scope="session")
def taxonomy() -> Taxonomy:
    """The bundled schema."""
    return load_taxonomy()


@pytest.fixture(scope="session")
def examples() -> list[Example]:
    """Labelled messages."""
    return labelled(240)


@pytest.fixture(scope="session")
def test_set(examples: list[Example], taxonomy: Taxonomy) -> EvaluationSet:
    """The same as a set to measure."""
    return EvaluationSet.of("test", examples, taxonomy)


@pytest.fixture(scope="session")
def good(taxonomy: Taxonomy) -> System:
    """A good system."""
    return system("good@1", 3.0, taxonomy)


@pytest.fixture(scope="session")
def weak(taxonomy: Taxonomy) -> System:
    """A weak one."""
    return system("weak", 9.0, taxonomy, seed=5)
