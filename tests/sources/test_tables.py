"""Tables and JSON lines: every cell to the letter, every row once, whatever the delimiter, the quotes and the encoding."""

from __future__ import annotations

import csv
import io
import json
import sys
import tracemalloc
import zipfile
from collections import deque
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sinks.fake_tagger import TAXONOMY, fake_tags

from reclamo.errors import SourceError, UsageError
from reclamo.message import Message
from reclamo.sinks import open_sink
from reclamo.sources import SourceOptions, open_source
from reclamo.sources.encodings import OLD_CODECS, find_encoding
from reclamo.sources.table import read_csv

HARD = 'Dijo "no", y\nse fue;\tsin más | "adiós"'
SPECIAL = st.sampled_from([*"\",;\t|\n\r' =a", "ñ", "Ω", '""', "\r\n"])
DATA = Path(__file__).parents[2] / "data"
TEXTS = st.lists(SPECIAL, min_size=1, max_size=20).map("".join).filter(str.strip)


def read(path: Path, **options: Any) -> list[Message]:
    return list(open_source(path, SourceOptions(**options)))


def write(path: Path, rows: list[list[str]], **dialect: Any) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, **dialect).writerows(rows)
    return path


def problems(messages: list[Message]) -> list[str | None]:
    return [message.problem.reason if message.problem else None for message in messages]


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tables") / "a.csv"


@settings(deadline=None)
@given(
    st.lists(TEXTS, min_size=1, max_size=6),
    st.sampled_from(",;\t|"),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["id text", "text id", "text", "id subject text"]),
    st.booleans(),
)
def test_what_the_csv_module_writes_is_read_to_the_letter(
    table: Path, texts: list[str], delimiter: str, quoting: Any, end: str, columns: str, told: bool
) -> None:
    if end == "\n":
        texts = [text.replace("\r", "\n") for text in texts]  # a lone \r is quoted by the writer only where it ends lines
    names = columns.split()
    rows = [[{"id": f"m{n}", "text": text, "subject": text}[name] for name in names] for n, text in enumerate(texts)]
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=delimiter, quoting=quoting, lineterminator=end).writerows([names, *rows])
    table.write_text((f"sep={delimiter}{end}" if told else "") + file.getvalue(), encoding="utf-8", newline="")
    messages = list(read_csv(table))
    assert [message.text for message in messages] == texts
    assert [message.id for message in messages] == [f"m{n}" if "id" in names else str(n + 1) for n in range(len(texts))]
    assert problems(messages) == [None] * len(texts)


def test_reclamos_own_csv_is_read_back(tmp_path: Path) -> None:
    sink = open_sink(tmp_path / "tags.csv", TAXONOMY, with_text=True)
    for number in range(9):
        sink.write(fake_tags(Message(id=f"m{number}", text=f"{HARD} {number}"), 0.75))
    sink.close()
    assert [(m.id, m.text) for m in read(tmp_path / "tags.csv")] == [(f"m{n}", f"{HARD} {n}") for n in range(9)]


@pytest.mark.parametrize(
    ("data", "texts"),
    [
        ("sep=;\r\nid;text\r\n1;a,b\r\n", ["a,b"]),
        ("\ufeffSEP=,\nid,text\n1,a;b\n", ["a;b"]),
        ("id;text (what, where, when)\n1;a,b,c\n", ["a,b,c"]),
        ('"id, of all, the cases";text\n1;a,b\n', ["a,b"]),
        ("text\nHola, qué tal; bien\n", ["Hola, qué tal; bien"]),
        ('"id", "text"\n"1", "a, b"\n', ["a, b"]),
        ("\n\nid,text\n\n1,a\n", ["a"]),
        ('id,text\n1,"dijo "no" y ya"\n2,b\n', ['dijo no" y ya"', "b"]),  # not doubled: seen by a lax reader
        ("id,text\n1,a,,\n", ["a"]),  # empty cells too many hold nothing
        ("id,text,lang\n1,a\n", ["a"]),
    ],
)
def test_headers_and_rows_of_many_hands(tmp_path: Path, data: str, texts: list[str]) -> None:
    (tmp_path / "a.csv").write_text(data, encoding="utf-8", newline="")
    options = {"text_column": "text (what, where, when)"} if "where" in data else {}
    messages = read(tmp_path / "a.csv", **options)
    assert ([message.text for message in messages], problems(messages)) == (texts, [None] * len(texts))


@pytest.mark.parametrize(
    ("data", "id", "says"),
    [
        ("id,text\n7,a, b, c, d, e, f\n8,b\n", "7", "line 2: 7 cells, the header has 2; put texts that hold the delimiter in quotes"),
        ("text,id\na,b,7\nb,8\n", "1", "line 2: 3 cells, the header has 2"),
        ('id,text\n7,"a "b"\n8,b\n', "1", "line 2: ',' expected after '\"'; double the quotes"),
        ('id,text\n7,"a "no" b, c"\n8,b\n', "7", "line 2: 3 cells, the header has 2"),
        ('id,text\n7,"a\n9,"c"\n8,b\n', "1", "a quote that opens in line 2 is not closed before line 3"),
    ],
)
def test_a_row_that_is_cut_wrongly_is_broken_and_the_next_is_read(tmp_path: Path, data: str, id: str, says: str) -> None:
    (tmp_path / "a.csv").write_text(data)
    bad, good = read(tmp_path / "a.csv")
    assert bad.problem is not None and bad.problem.reason == "broken"
    assert says in bad.problem.detail
    assert (bad.id, bad.text) == (id, "")
    assert (good.id, good.text, good.problem) == ("8", "b", None)


def test_a_quote_that_is_never_closed_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('sep=,\nid,text\n1,a\n2,"b\n' + "3,c\n" * 500)
    first, last = read(tmp_path / "a.csv")
    assert (first.text, last.text) == ("a", "")
    assert last.problem is not None and last.problem.reason == "broken"
    assert "a quote that opens in line 4 is never closed, so lines 4 to 504 cannot be told apart" in last.problem.detail


def test_a_header_without_an_end_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('id,"text\n1,a\n')
    with pytest.raises(SourceError, match=r"a.csv:1: has no header line that can be read \(a quote that opens in line 1 is never closed"):
        read(tmp_path / "a.csv")
    (tmp_path / "a.csv").write_text("\n")
    with pytest.raises(SourceError, match="is empty; expected a header"):
        read(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("codec", "text"), [("cp1252", "Todavía espero el reembolso; señores"), ("cp1253", "Περιμένω ακόμη την παραγγελία")]
)
@pytest.mark.parametrize("before", [0, 65_536 - 14, 65_536, 400_000])
def test_an_encoding_that_shows_late_is_found(tmp_path: Path, codec: str, text: str, before: int) -> None:
    rows = ["id,text", *(f"{n},ascii only" for n in range(before // 18)), "x,El precio era 20 €", *[f"y,{text}"] * 50]
    (tmp_path / "a.csv").write_bytes("\n".join(rows).encode(codec))
    last = read(tmp_path / "a.csv")[-51:]
    assert [message.text for message in last] == ["El precio era 20 €", *[text] * 50]


SPANISH = [
    "Llevo tres días esperando y aún no llega mi paquete",
    "¿Cuándo me devolvéis el dinero? Ya envié los papeles",
    "¡Qué bien, señorita!",
]
ITALIAN = ["Il pacco non è arrivato, perché?", "Ho già pagato e però la caparra non c'è più", "Così non va: è la città sbagliata"]
GREEK = ["Περιμένω το δέμα μου εδώ και μέρες", "Γιατί δεν απαντάτε; Πλήρωσα ήδη", "Ευχαριστώ πολύ, όλα ήρθαν σωστά"]


@pytest.mark.parametrize(
    ("texts", "codec"),
    [(texts, codec) for texts in (SPANISH, ITALIAN) for codec in ("cp1252", "iso8859_15", "mac_roman", "cp850")]
    + [(GREEK, codec) for codec in ("cp1253", "iso8859_7", "mac_greek", "cp737", "cp869")],
)
def test_what_excel_writes_on_a_mac_or_for_dos_is_read(tmp_path: Path, texts: list[str], codec: str) -> None:
    (tmp_path / "a.csv").write_bytes("\n".join(["id\ttext", *(f"{n}\t{text}" for n, text in enumerate(texts))]).encode(codec))
    assert [message.text for message in read(tmp_path / "a.csv")] == texts


@pytest.mark.parametrize(("lang", "codec"), [("es", "cp1252"), ("it", "cp1252"), ("el", "cp1253")])
def test_no_file_of_windows_is_taken_for_an_older_one(tmp_path: Path, lang: str, codec: str) -> None:
    texts = [json.loads(line)["text"] for line in (DATA / f"{lang}.validation.jsonl").read_text(encoding="utf-8").split("\n") if line]
    for start in range(0, 300, 3):
        data = "\n".join(texts[start : start + 3]).encode(codec, "ignore")
        (tmp_path / "a.txt").write_bytes(data)
        assert find_encoding(tmp_path / "a.txt") not in OLD_CODECS, texts[start : start + 3]


def test_a_few_broken_characters_leave_utf_8(tmp_path: Path) -> None:
    good = "id,text\n" + "1,Περιμένω, señora\n".replace("ω, s", "ω s") * 9000
    (tmp_path / "a.csv").write_bytes(good.encode() + b"x,caf\xe9 ma\xc3\xb1ana\n")
    messages = read(tmp_path / "a.csv")
    assert (messages[0].text, messages[-1].text) == ("Περιμένω señora", "caf\ufffd mañana")


def test_guessing_holds_no_large_file_in_memory(tmp_path: Path) -> None:
    with (tmp_path / "a.csv").open("wb") as file:
        file.write(b"id,text\n" + b"1,only ascii for a long time\n" * 100_000 + "2,también\n".encode("cp1252"))
    tracemalloc.start()
    (message,) = deque(read_csv(tmp_path / "a.csv"), maxlen=1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert message.text == "también"
    assert peak < 1_500_000


ROWS = [{"id": "a", "body": "uno", "nr": 7}, {"id": "b", "body": "dos", "nr": 8, "text": "otro"}]


def lines(rows: list[Any]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


@pytest.fixture(params=["file", "stdin"])
def json_lines(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    def read_lines(rows: list[Any], **options: Any) -> list[Message]:
        (tmp_path / "a.jsonl").write_bytes(lines(rows))
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines(rows))))
        return list(open_source(tmp_path / "a.jsonl" if request.param == "file" else "-", SourceOptions(**options)))

    return read_lines


def test_columns_of_json_lines(json_lines: Any) -> None:
    assert [(m.id, m.text) for m in json_lines(ROWS)] == [("a", "uno"), ("b", "otro")]
    assert [(m.id, m.text) for m in json_lines(ROWS, text_column="body", id_column="nr")] == [("7", "uno"), ("8", "dos")]
    assert [m.text for m in json_lines([{"Texto": "x"}, {"μήνυμα": "y"}, {"review": "z"}])] == ["x", "y", "z"]
    assert problems(json_lines([*ROWS, {"text": "x"}], text_column="body")) == [None, None, "not_text"]


def test_a_column_that_no_row_has_is_named(json_lines: Any) -> None:
    for option in ("text_column", "id_column"):
        with pytest.raises(
            UsageError, match="no row has a column 'x'; they have id, body, nr, text; name one of them with --" + option[:2]
        ):
            json_lines(ROWS, **{option: "x"})
    assert json_lines([], text_column="x") == []
    late = [{"body": "a"}] * 3000 + [{"x": "b"}]
    assert [m.text for m in json_lines(late, text_column="x")] == [""] * 3000 + ["b"]
    with pytest.raises(UsageError, match="no row has a column 'x'"):
        json_lines(late[:-1], text_column="x")


@pytest.mark.parametrize(
    ("header", "text", "id"),
    [
        ("Ticket ID,Subject,Description,Comment", "Description", "Ticket ID"),
        ("Comment,Case Number,Descripción", "Descripción", "Case Number"),
        ("ticket-id,Descrizione", "Descrizione", "ticket-id"),
        ("ΚΩΔΙΚΟΣ ΑΙΤΗΜΑΤΟΣ,ΠΕΡΙΓΡΑΦΗ", "ΠΕΡΙΓΡΑΦΗ", "ΚΩΔΙΚΟΣ ΑΙΤΗΜΑΤΟΣ"),
        ("Ticket #,Ticket No.,Σχόλιο,Κείμενο", "Κείμενο", "Ticket No."),
        ("Subject,Content,Message-Id", "Content", "Message-Id"),
        ("TICKET_NUMBER,Message Body,Body", "Message Body", "TICKET_NUMBER"),
        ("Review,Comment,Message,Text,ID", "Text", "ID"),
        ("Text,TEXT,text,Id,id", "text", "id"),
    ],
)
@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_columns_are_found_as_helpdesks_write_their_names(tmp_path: Path, header: str, text: str, id: str, ending: str) -> None:
    names, path = header.split(","), tmp_path / f"a.{ending}"
    cells = [f"in {name}" for name in names]
    if ending == "csv":
        write(path, [names, cells])
    else:
        path.write_bytes(lines([dict(zip(names, cells, strict=True))]))
    (message,) = read(path)
    assert (message.text, message.id) == (f"in {text}", f"in {id}")


@pytest.mark.parametrize(("header", "said"), [("Subject,Description", 1), ("id,Description", 0)])
def test_that_no_id_was_found_is_said_once(tmp_path: Path, header: str, said: int) -> None:
    heard: list[str] = []
    messages = read(write(tmp_path / "a.csv", [header.split(","), ["7", "Hola"], ["8", "Adiós"]]), say=heard.append)
    assert [message.id for message in messages] == (["1", "2"] if said else ["7", "8"])
    line = (
        "a.csv: the text is column 'Description'; no column has a known name for the id, so ids are row numbers (name one with --id-column)"
    )
    assert heard == [line] * said


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet", "xlsx"])
def test_cells_of_html_are_read_as_text(tmp_path: Path, ending: str) -> None:
    cells, path = ["<p>No llega</p><p>nada &amp; nadie</p>", "precio < 3 & <3"], tmp_path / f"a.{ending}"
    if ending == "csv":
        write(path, [["text"], *([cell] for cell in cells)])
    elif ending == "jsonl":
        path.write_bytes(lines([{"text": cell} for cell in cells]))
    elif ending == "parquet":
        import pyarrow.parquet

        pyarrow.parquet.write_table(pyarrow.table({"text": cells}), path)
    else:
        book = pytest.importorskip("openpyxl").Workbook()
        for cell in ["text", *cells]:
            book.active.append([cell])
        book.save(path)
    assert [message.text.split() for message in read(path)] == [["No", "llega", "nada", "&", "nadie"], ["precio", "<", "3", "&", "<3"]]


@pytest.mark.parametrize("name", ["a.eml", "a.mbox", "a.zip", "folder", "imaps://ana@mail.example/INBOX"])
def test_mail_has_no_columns(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    for file in ("a.eml", "a.mbox", "a.zip"):
        (tmp_path / file).touch()
    for option in ("text_column", "id_column"):
        with pytest.raises(UsageError, match=f"--{option.replace('_', '-')}: only for tables and JSON lines"):
            open_source(name if "://" in name else tmp_path / name, SourceOptions(**{option: cast(Any, "x")}))


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet", "xlsx"])
def test_ids_that_repeat_get_a_number(tmp_path: Path, ending: str) -> None:
    ids, path = ["a", "a", "", "3", "a"], tmp_path / f"in.{ending}"
    rows = [{"id": id, "text": f"Hola {n}"} for n, id in enumerate(ids)]
    if ending == "csv":
        write(path, [["id", "text"], *([row["id"], row["text"]] for row in rows)])
    elif ending == "jsonl":
        path.write_bytes(lines(rows))
    elif ending == "parquet":
        import pyarrow.parquet

        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    else:
        book = pytest.importorskip("openpyxl").Workbook()
        for row in [["id", "text"], *([row["id"], row["text"]] for row in rows)]:
            book.active.append(row)
        book.save(path)
    assert [message.id for message in read(path)] == ["a", "a#2", "3", "3#2", "a#3"]


def test_parquet_reads_what_it_needs_and_says_what_it_cannot(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet

    path, fine = tmp_path / "a.parquet", pa.array([1_700_000_000_000_000_001], pa.timestamp("ns"))
    columns = {"Comment": ["Hola"], "Lang": ["es"], "seen": fine, "took": pa.array([1], pa.duration("ns")), "Date": fine}
    pa.parquet.write_table(pa.table(columns), path)
    (message,) = read(path)
    assert (message.text, message.lang, message.date) == ("Hola", "es", "2023-11-14 22:13:20")
    pa.parquet.write_table(pa.table({"text": ["Hola"], "date": pa.array([2**50], pa.timestamp("s"))}), path)
    with pytest.raises(SourceError, match="cannot be read as Parquet"):
        read(path)
    path.write_bytes(path.read_bytes()[:40] + b"x" * 40)
    with pytest.raises(SourceError, match="cannot be read as Parquet"):
        read(path)


def test_a_sheet_that_is_wrong_about_its_size_is_read_whole_and_a_broken_one_is_said(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for cells in (["id", "text"], [1, "hola_x000D_"], [2, "adiós"], [3, "vale"]):
        book.active.append(cells)
    book.save(tmp_path / "whole.xlsx")
    for name, old, new in (("small.xlsx", b'ref="A1:B4"', b'ref="A1:A2"'), ("broken.xlsx", b"</row></sheetData>", b"</row></sheet")):
        with zipfile.ZipFile(tmp_path / "whole.xlsx") as source, zipfile.ZipFile(tmp_path / name, "w") as target:
            for member in source.namelist():
                content = source.read(member)
                assert old in content or "sheet1" not in member
                target.writestr(member, content.replace(old, new) if "sheet1" in member else content)
    assert [message.text for message in open_source(tmp_path / "small.xlsx")] == ["hola\r", "adiós", "vale"]
    with pytest.raises(SourceError, match="cannot be read to its end as XLSX"):
        list(open_source(tmp_path / "broken.xlsx"))


def sheets(path: Path, **rows: list[list[Any]]) -> Path:
    book = pytest.importorskip("openpyxl").Workbook()
    book.remove(book.active)
    for name, cells in rows.items():
        sheet = book.create_sheet(name)
        for row in cells:
            sheet.append(row)
    book.save(path)
    return path


def test_further_sheets_are_named(tmp_path: Path) -> None:
    heard: list[str] = []
    path = sheets(tmp_path / "a.xlsx", Enero=[["id", "text"], [1, "Hola"]], Hoja2=[], Febrero=[["id", "text"]], Marzo=[[None], ["x"]])
    assert [message.text for message in read(path, say=heard.append)] == ["Hola"]
    assert heard == [
        "a.xlsx: only the first sheet, 'Enero', is read, not 'Febrero', 'Marzo' (save each sheet as a file of its own to read it)"
    ]
    heard.clear()
    read(sheets(tmp_path / "b.xlsx", Enero=[["id", "text"], [1, "Hola"]], Hoja2=[]), say=heard.append)
    assert heard == []


def test_blank_rows_above_the_header_are_passed_over(tmp_path: Path) -> None:
    rows = [[None], [" ", None], ["id", None, "text"], ["a", 1, "Hola"], [None], ["b", 2, "Adiós"]]
    path = sheets(tmp_path / "a.xlsx", Enero=rows)
    assert [(message.id, message.text) for message in read(path)] == [("a", "Hola"), ("b", "Adiós")]
    with pytest.raises(SourceError, match=r"its first sheet, 'Enero', is empty; expected a row with column names$"):
        read(sheets(tmp_path / "b.xlsx", Enero=[[None]]))
    with pytest.raises(SourceError, match=r"'Enero', is empty; expected a row with column names; move 'Febrero' to the front to read it"):
        read(sheets(tmp_path / "b.xlsx", Enero=[], Febrero=[["text"]]))


def test_a_number_in_place_of_a_text_is_read_as_its_digits(tmp_path: Path) -> None:
    path = sheets(tmp_path / "a.xlsx", Enero=[["id", "text"], [1, 12345], [2, 2.5], [3, 2.0], [4, True], [5, "007"], [6, None]])
    messages = read(path)
    assert [message.text for message in messages] == ["12345", "2.5", "2", "", "007", ""]
    assert problems(messages) == [None, None, None, "not_text", None, "not_text"]
