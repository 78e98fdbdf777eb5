"""`reclamo corpus`: labelled messages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Labelled messages.", no_args_is_help=True, rich_markup_mode=None)


@app.command("check")
def check_command(
    path: Annotated[Path, typer.Argument(help="a corpus file or folder")],
    taxonomy: Annotated[Path | None, typer.Option("--taxonomy", help="a taxonomy file; the bundled one by default")] = None,
) -> int:
    """Read every row, refuse the first that breaks a rule, and count the labels."""
    from reclamo.corpus import read_corpus
    from reclamo.corpus.counts import count_labels
    from reclamo.taxonomy import load_taxonomy

    schema = load_taxonomy(taxonomy)
    print(json.dumps(count_labels(read_corpus(path, schema), schema), ensure_ascii=False, indent=1))
    return 0
