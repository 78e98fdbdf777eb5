"""The `reclamo` command."""

from __future__ import annotations

import logging
import sys
from typing import Annotated

import typer

from reclamo.cli import base, bench, corpus, labels, tag
from reclamo.cli.errors import run_guarded

app = typer.Typer(
    name="reclamo",
    help="Tag support messages in Spanish, Greek and Italian: complaints, sentiment, contact reason, and how agents reply.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("tag")(tag.tag)
app.command("labels")(labels.labels)
app.command("bench")(bench.bench)
app.add_typer(base.app, name="base")
app.add_typer(corpus.app, name="corpus")


@app.callback()
def common(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    version: Annotated[bool, typer.Option("--version", help="Show the version and leave.")] = False,
) -> None:
    """Options before the command."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO if debug else logging.WARNING, format="reclamo: %(message)s")
    if version:
        from reclamo import __version__

        print(__version__)
        raise typer.Exit


def main() -> None:
    """Run the command line and leave with its exit code."""
    sys.exit(run_guarded(_run))


def _run() -> int:
    if "--version" in sys.argv[1:2]:
        from reclamo import __version__

        print(__version__)
        return 0
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    debug = ["--debug"] if len(arguments) < len(sys.argv) - 1 else []
    try:
        result = app(args=[*debug, *arguments], standalone_mode=False)
    except typer.TyperException as error:
        said = error.format_message() if hasattr(error, "format_message") else str(error)  # with the name of the option
        print(f"reclamo: {said.rstrip('.')}; see reclamo --help", file=sys.stderr)
        return 2
    except typer.Abort:
        return 130
    return int(result or 0)
