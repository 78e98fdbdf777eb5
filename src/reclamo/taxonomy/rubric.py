"""What is derived from the traits of an agent's message: the rubric score and the service level."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reclamo.taxonomy.schema import Taxonomy


def rubric_score(taxonomy: Taxonomy, probabilities: Mapping[str, float]) -> float:
    """Weigh trait probabilities into 0 to 100.

    Example: with weights {apology: 0.1, rudeness: -0.5} and p {apology: 0.9, rudeness: 0.0} -> 9.0.
    """
    total = sum(weight * probabilities.get(label, 0.0) for label, weight in taxonomy.rubric_weights.items())
    return round(100.0 * min(1.0, max(0.0, total)), 1)


def service_level(taxonomy: Taxonomy, present: Iterable[str]) -> str | None:
    """Give the level of the first rule that holds for the traits present; None where the taxonomy has no rules."""
    traits = frozenset(present)
    return next((rule.value for rule in taxonomy.service_rules if rule.holds(traits)), None)
