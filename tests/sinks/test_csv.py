"""What any CSV reader gets back is what was written."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from tests.sinks.fake_tagger import TAXONOMY

from reclamo.sinks import open_sink
from reclamo.sinks.base import flat_columns
from reclamo.sinks.files import csv_line

cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@given(st.lists(st.lists(cells, min_size=2, max_size=2), min_size=1, max_size=4))
def test_rows_come_back_whatever_is_in_them(rows: list[list[str]]) -> None:
    written = "".join(csv_line(row) for row in rows)
    assert list(csv.reader(io.StringIO(written, newline=""))) == rows


def test_a_lone_carriage_return_splits_no_row() -> None:
    written = csv_line(["id", "text"]) + csv_line(["a\rb", "uno\rdos"])
    assert pd.read_csv(io.StringIO(written, newline="")).to_dict("records") == [{"id": "a\rb", "text": "uno\rdos"}]


def test_without_a_row_the_header_stands_alone(tmp_path: Path) -> None:
    open_sink(tmp_path / "a.csv", TAXONOMY).close()
    (header,) = (tmp_path / "a.csv").read_text(encoding="utf-8").splitlines()
    assert header.split(",") == flat_columns(TAXONOMY, with_text=False)
