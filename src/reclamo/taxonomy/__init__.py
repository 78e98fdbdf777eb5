"""The label schema: heads, labels, descriptions, rubric weights, service-level rule."""

from reclamo.taxonomy.rubric import rubric_score, service_level
from reclamo.taxonomy.schema import Head, HeadKind, Label, ServiceRule, Taxonomy, load_taxonomy, parse_taxonomy

__all__ = ["Head", "HeadKind", "Label", "ServiceRule", "Taxonomy", "load_taxonomy", "parse_taxonomy", "rubric_score", "service_level"]
