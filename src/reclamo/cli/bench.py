"""`reclamo bench`: how fast it is on this machine, beside what people use."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer


def bench(
    model: Annotated[list[Path] | None, typer.Option("--model", help="name or folder of a tagger; give it again for several")] = None,
    data: Annotated[Path, typer.Option("--data", help="folder of the corpus that the messages are drawn from")] = Path("data"),
    only: Annotated[list[str] | None, typer.Option("--only", help="a system to measure; give it again for several")] = None,
    messages: Annotated[int, typer.Option("--messages", min=8, help="messages of the short mix; the long one has half")] = 96,
    rounds: Annotated[int, typer.Option("--rounds", min=1, help="how often every system is asked, in turn")] = 3,
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="processor threads of every system; all by default")] = None,
    growth: Annotated[int, typer.Option("--growth", min=0, help="short messages to tag in one stream; 0 for none")] = 0,
    training: Annotated[int, typer.Option("--training", min=0, help="examples to train on with both trainers; 0 for none")] = 0,
    output: Annotated[Path, typer.Option("-o", "--output", help="the result, as JSON")] = Path("reports/bench.json"),
    report: Annotated[Path | None, typer.Option("--report", help="a page to write, with a plot beside it: docs/performance.md")] = None,
) -> int:
    """Measure speed, memory and start-up beside a Hugging Face pipeline, torch, onnxruntime and OpenVINO, in one run."""
    from reclamo.artefact import bundled_artefact, open_artefact
    from reclamo.bench.machine import describe_machine
    from reclamo.bench.report import write_report
    from reclamo.bench.run import BenchOptions, run_bench
    from reclamo.cli.extras import need_train

    if not only or training or any(not name.startswith("engine") for name in only):
        need_train()
    options = BenchOptions(
        models=tuple(open_artefact(one).path for one in model or [bundled_artefact()]),
        data=data,
        only=tuple(only or ()),
        messages=messages,
        rounds=rounds,
        threads=threads or describe_machine()["cores"],
        growth=growth,
        training=training,
    )
    result = run_bench(options, lambda what: print(f"reclamo: {what}", file=sys.stderr))
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    if report:
        write_report(result, report)
    for row in result["systems"]:
        rates = ", ".join(f"{name}: {mix['messages_per_second']['value']:g} messages/s" for name, mix in row["mixes"].items())
        print(f"{row['name']} ({row['precision']}): {rates}")
    return 0
