"""`reclamo labels`: the schema in use."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer


def labels(
    model: Annotated[Path | None, typer.Option("--model", help="name or folder of a tagger whose schema to show")] = None,
    taxonomy: Annotated[Path | None, typer.Option("--taxonomy", help="a taxonomy file; the bundled one by default")] = None,
    lang: Annotated[str, typer.Option("--lang", help="language of the descriptions: en, es, el or it")] = "en",
    as_json: Annotated[bool, typer.Option("--json", help="as JSON")] = False,
) -> int:
    """Show the heads and labels in use, with what each means."""
    from reclamo.artefact import open_artefact
    from reclamo.errors import UsageError
    from reclamo.taxonomy import load_taxonomy
    from reclamo.taxonomy.schema import DESCRIPTION_LANGUAGES

    if lang not in DESCRIPTION_LANGUAGES:
        raise UsageError(f"--lang is {lang!r}; expected one of {', '.join(DESCRIPTION_LANGUAGES)}")
    schema = open_artefact(model).taxonomy if model else load_taxonomy(taxonomy)
    heads: list[dict[str, Any]] = [
        {
            "head": head.name,
            "kind": head.kind,
            "asked_of": dict(head.asked_of),
            "labels": {label.name: label.descriptions.get(lang, "") for label in head.labels},
        }
        for head in schema.heads
    ]
    if as_json:
        print(json.dumps(heads, ensure_ascii=False, indent=1))
        return 0
    for head in heads:
        asked = ", ".join(f"{name} = {str(value).lower()}" for name, value in head["asked_of"].items())
        print(f"{head['head']} ({head['kind']}{'; asked where ' + asked if asked else ''})")
        for name, description in head["labels"].items():
            print(f"  {name:18} {description}")
    return 0
