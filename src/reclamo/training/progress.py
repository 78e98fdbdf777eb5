"""Show training on stderr and write it to TensorBoard and a JSON log."""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class TrainingProgress:
    """A progress bar with the time left, a TensorBoard log and `log.jsonl` in the run's folder."""

    def __init__(self, folder: Path, title: str) -> None:
        from torch.utils.tensorboard import SummaryWriter

        folder.mkdir(parents=True, exist_ok=True)
        self.console = Console(stderr=True)
        self.console.print(title)
        self.writer: Any = SummaryWriter(str(folder / "tensorboard"))
        self.log = (folder / "log.jsonl").open("a", encoding="utf-8")
        self.bar = Progress(
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(),
            TextColumn("{task.completed}/{task.total} loss {task.fields[loss]:.4f}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self.console,
        )
        self.task: TaskID | None = None

    def __enter__(self) -> TrainingProgress:
        self.bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.bar.stop()
        self.writer.close()
        self.log.close()

    def __call__(self, record: dict[str, Any]) -> None:
        """Take a record of the trainer."""
        if record["kind"] == "step":
            self._step(record)
            return
        self.log.write(json.dumps(record) + "\n")
        self.log.flush()
        if record["kind"] == "epoch":
            for head, value in record.get("average_precision", {}).items():
                self.writer.add_scalar(f"average_precision/{head}", value, record["epoch"])
            shown = {head: round(value, 3) for head, value in record.get("average_precision", {}).items()}
            self.console.print(f"epoch {record['epoch']}: loss {record['loss']:.4f}, average precision {shown}")

    def _step(self, record: dict[str, Any]) -> None:
        if self.task is None:
            self.task = self.bar.add_task("train", total=record["steps"], epoch=record["epoch"], loss=record["loss"])
        self.bar.update(self.task, completed=record["step"], epoch=record["epoch"], loss=record["loss"])
        self.writer.add_scalar("loss", record["loss"], record["step"])
