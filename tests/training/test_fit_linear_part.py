"""Fitting n-grams beside a network: they help where the network is blind, and stay away where it is not."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sklearn")

from tests.training.test_learns import TOY, toy_examples

from reclamo.corpus import encode_targets
from reclamo.training.config import NGramsConfig
from reclamo.training.ngrams import fit_linear_part
from reclamo.training.score import macro_average_precision

TRAIN, VALIDATION = toy_examples(150, 1), toy_examples(60, 2)
TARGETS = encode_targets(VALIDATION, TOY)


def test_beside_a_network_that_knows_nothing_the_n_grams_decide() -> None:
    blind = np.random.default_rng(3).normal(size=(60, TOY.n_logits)).astype(np.float32)
    part = fit_linear_part(TOY, TRAIN, VALIDATION, blind, NGramsConfig(costs=[16.0]))
    both = blind * part.network_scale + part.logits(part.features([example.text for example in VALIDATION]))
    assert macro_average_precision(TOY, blind, TARGETS)["mean"] < 0.7
    assert macro_average_precision(TOY, both, TARGETS)["mean"] > 0.99


def test_beside_a_network_that_knows_all_they_have_no_share() -> None:
    perfect = (TARGETS.values * 8 - 4).astype(np.float32)
    said: list[dict[str, object]] = []
    part = fit_linear_part(TOY, TRAIN, VALIDATION, perfect, NGramsConfig(costs=[16.0]), said.append)
    assert said[0]["share"] == 0.0
    assert not part.weights.any() or not (part.weights * part.weight_scale).any()


def test_a_given_share_is_kept_and_few_n_grams_are_the_commonest() -> None:
    said: list[dict[str, object]] = []
    flat = np.zeros((60, TOY.n_logits), np.float32)
    part = fit_linear_part(TOY, TRAIN, VALIDATION, flat, NGramsConfig(costs=[16.0], share=0.3, characters=5, words=3), said.append)
    assert (said[0]["share"], said[0]["features"]) == (0.3, 8)
    assert part.vocabulary.idf.max() < 1.7
