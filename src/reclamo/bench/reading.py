"""How fast sources are read and mail is cleaned, by the kind of source, without any tagging."""

from __future__ import annotations

import csv
import json
import mailbox
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from reclamo.sources import SourceOptions, open_source

COPIES: Final = 10


def measure_reading(inbox: Path) -> dict[str, float]:
    """Give the messages read a second by kind of source: the mails of an mbox, ten times over, in every form."""
    mails = [bytes(mail) for mail in mailbox.mbox(inbox, create=False)] * COPIES
    with tempfile.TemporaryDirectory() as name:
        return {kind: _rate(write(Path(name), mails)) for kind, write in WRITERS.items()}


def _rate(source: Path) -> float:
    best = 0.0
    for _ in range(2):
        started = time.perf_counter()
        count = sum(1 for _ in open_source(str(source), SourceOptions()))
        best = max(best, count / (time.perf_counter() - started))
    return best


def _mbox(folder: Path, mails: list[bytes]) -> Path:
    box = mailbox.mbox(folder / "inbox.mbox")
    for mail in mails:
        box.add(mail)
    box.close()
    return folder / "inbox.mbox"


def _maildir(folder: Path, mails: list[bytes]) -> Path:
    box = mailbox.Maildir(folder / "maildir")
    for mail in mails:
        box.add(mail)
    return folder / "maildir"


def _eml(folder: Path, mails: list[bytes]) -> Path:
    target = folder / "eml"
    target.mkdir()
    for number, mail in enumerate(mails):
        (target / f"{number:05}.eml").write_bytes(mail)
    return target


def _texts(folder: Path) -> list[str]:
    return [message.text for message in open_source(str(folder / "inbox.mbox"), SourceOptions())]


def _jsonl(folder: Path, mails: list[bytes]) -> Path:
    rows = [json.dumps({"id": str(number), "text": text}, ensure_ascii=False) for number, text in enumerate(_texts(folder))]
    (folder / "rows.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder / "rows.jsonl"


def _csv(folder: Path, mails: list[bytes]) -> Path:
    with (folder / "rows.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["id", "text"], *([str(number), text] for number, text in enumerate(_texts(folder)))])
    return folder / "rows.csv"


def _parquet(folder: Path, mails: list[bytes]) -> Path:
    import pyarrow
    from pyarrow import parquet

    texts = _texts(folder)
    parquet.write_table(pyarrow.table({"id": [str(number) for number in range(len(texts))], "text": texts}), folder / "rows.parquet")
    return folder / "rows.parquet"


WRITERS: Final[dict[str, Callable[[Path, list[bytes]], Path]]] = {
    "mbox": _mbox, "Maildir": _maildir, "folder of .eml": _eml, "JSON lines": _jsonl, "CSV": _csv, "Parquet": _parquet,
}  # fmt: skip
