"""Write the model card from a result: every figure in it comes from metrics.json."""

from __future__ import annotations

from pathlib import Path

from reclamo.evaluation import tables
from reclamo.evaluation.report import HOW_READ, render
from reclamo.evaluation.schema import ALL, Result
from reclamo.taxonomy import Taxonomy


def render_card(result: Result, taxonomy: Taxonomy) -> str:
    """Fill the card's template."""
    whole = {one.name: ALL if len(one.languages) > 1 else next(iter(one.languages)) for one in result.sets}
    model = next(system for system in result.systems if system.name == result.model)
    return render(
        "card.md.j2",
        result=result,
        name=result.model.split("@")[0],
        taxonomy=taxonomy,
        model=model,
        how_read=HOW_READ,
        sets=[
            (
                one,
                tables.mean_table(result, one.name),
                [tables.head_table(result, one.name, language) for language in reversed(result.languages(one.name))],
                tables.detail_table(result, one.name, whole[one.name]),
                [table for table in _further(result, one.name) if table.rows],
            )
            for one in result.sets
        ],
        checks=[check for check in result.checks if check.findings],
        costs=tables.cost_table(result),
    )


def _further(result: Result, set_name: str) -> list[tables.Table]:
    return [
        tables.end_to_end_table(result, set_name),
        tables.greeklish_table(result, set_name),
        tables.faithfulness_table(result, set_name, brief=True),
    ]


def write_card(result: Result, path: Path, taxonomy: Taxonomy) -> None:
    """Write the card."""
    path.write_text(render_card(result, taxonomy), encoding="utf-8")
