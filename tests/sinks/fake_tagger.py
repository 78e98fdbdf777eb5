"""A tagger without a network whose numbers depend on the whole chunk, so that a batch cut elsewhere shows."""

from __future__ import annotations

import json
import sys
import time
import zlib
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import reclamo.engine.tagger as engine
from reclamo.message import Message
from reclamo.tags import Evidence, HeadTag, Tags
from reclamo.taxonomy import load_taxonomy

TAXONOMY = load_taxonomy()
PAUSE = 0.0


class FakeTagger:
    """Every second message complains; every fifth cannot be scored."""

    taxonomy = TAXONOMY
    precision = "fp32"

    def __init__(self, folder: Path) -> None:
        (folder / "manifest.json").touch()
        self.artefact = SimpleNamespace(path=folder)

    def tag_many(self, messages: Iterable[Message]) -> Iterator[Tags]:
        """Tag by chunks, as the engine does."""
        source = iter(messages)
        while chunk := list(islice(source, engine.CHUNK)):
            for place, message in enumerate(chunk):
                time.sleep(PAUSE)
                yield fake_tags(message, zlib.crc32(repr((place, [m.text for m in chunk])).encode()) / 2**32)


def fake_tags(message: Message, p: float) -> Tags:
    """Give tags that hold a probability, a list, evidence and text."""
    heads: dict[str, HeadTag | None] = dict.fromkeys(TAXONOMY.by_name)
    common: dict[str, Any] = {"id": message.id, "lang": "es", "role": "customer", "model": "fake@1", "text": message.text}
    if zlib.crc32(message.id.encode()) % 5 == 0:
        return Tags(**common, status="unscored", heads=heads, unscored_reason="empty", detail="nothing")
    heads["complaint"] = HeadTag(value=p > 0.5, p=p)
    heads["grounds"] = HeadTag(value=["delay", "billing"] if p > 0.5 else [], p={"delay": p, "billing": p})
    return Tags(**common, status="tagged", heads=heads, evidence={"complaint": [Evidence(start=0, end=4, weight=0.7)]})


def write_messages(path: Path, count: int, *, text: str = "=Espero, «la» entrega\nde la caja {n} ñ €") -> Path:
    """Write a source of JSON lines."""
    path.write_text("".join(json.dumps({"id": f"m{n}", "text": text.format(n=n)}) + "\n" for n in range(count)), encoding="utf-8")
    return path


if __name__ == "__main__":  # python -m tests.sinks.fake_tagger FOLDER PAUSE then the arguments of reclamo
    folder, PAUSE, sys.argv = Path(sys.argv[1]), float(sys.argv[2]), ["reclamo", *sys.argv[3:]]
    engine.load = lambda *_, **__: FakeTagger(folder)  # type: ignore[assignment,return-value]
    engine.CHUNK = 16  # type: ignore[misc]
    from reclamo.cli.app import main

    main()
