from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brandkit.errors import BrandkitError, InputError
from brandkit.normalise import normalise_items
from brandkit.sources.files import found_files, scan_items
from brandkit.sources.tables import column
from brandkit.sources.tolerant import read_delimited, read_json_lines

SEVEN = datetime(2026, 3, 2, 7, tzinfo=UTC)
ROWS: list[dict[str, Any]] = [
    {
        "url": "https://a.example/x",
        "title": "Tram, strike",
        "collected_at": "2026-03-02T06:00:00Z",
        "reactions": 5,
    },
    {
        "url": "https://a.example/y",
        "title": 'The "long" wait',
        "collected_at": "2026-03-02T06:30:00Z",
        "reactions": None,
    },
]
FRAME = pl.DataFrame(ROWS)
HEADER = "url,title,collected_at\n"
LINE = "https://a.example/{n},title {n},2026-03-02T06:00:00Z\n"


def expected() -> pl.DataFrame:
    return normalise_items(FRAME).items


WRITERS: dict[str, Callable[[Path], object]] = {
    "a.csv": lambda path: FRAME.write_csv(path),
    "a.tsv": lambda path: FRAME.write_csv(path, separator="\t"),
    "a.ndjson": lambda path: FRAME.write_ndjson(path),
    "a.jsonl": lambda path: FRAME.write_ndjson(path),
    "a.json": lambda path: path.write_text(json.dumps(ROWS)),
    "lines.json": lambda path: FRAME.write_ndjson(path),
    "a.parquet": lambda path: FRAME.write_parquet(path),
    "a.pq": lambda path: FRAME.write_parquet(path),
    "a.arrow": lambda path: FRAME.write_ipc(path),
    "a.feather": lambda path: FRAME.write_ipc(path),
    "stream.arrow": lambda path: FRAME.write_ipc_stream(path),
    "a.csv.gz": lambda path: path.write_bytes(gzip.compress(FRAME.write_csv().encode())),
    "a.ndjson.gz": lambda path: path.write_bytes(gzip.compress(FRAME.write_ndjson().encode())),
    "a.json.gz": lambda path: path.write_bytes(gzip.compress(json.dumps(ROWS).encode())),
    "UPPER.CSV": lambda path: FRAME.write_csv(path),
    "bom.csv": lambda path: path.write_bytes(b"\xef\xbb\xbf" + FRAME.write_csv().encode()),
    "utf16.csv": lambda path: path.write_bytes(FRAME.write_csv().encode("utf-16")),
    "crlf.csv": lambda path: path.write_bytes(FRAME.write_csv(line_terminator="\r\n").encode()),
    "cr.csv": lambda path: path.write_bytes(FRAME.write_csv(line_terminator="\r").encode()),
    "blanks.csv": lambda path: path.write_text("\n" + FRAME.write_csv().replace("\n", "\n\n")),
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_kind_of_file_gives_the_same_items(name: str, tmp_path: Path) -> None:
    WRITERS[name](tmp_path / name)
    raw = scan_items(tmp_path / name)
    assert raw.collect().select("raw_row").to_series().to_list() == [1, 2]
    assert raw.collect()["raw_file"].unique().to_list() == [(tmp_path / name).as_posix()]
    assert normalise_items(raw).items.equals(expected())


@pytest.mark.parametrize(
    "table",
    [FRAME, FRAME.lazy(), FRAME.to_arrow(), FRAME.to_pandas(), ROWS, FRAME.to_arrow().to_batches()[0],
     FRAME.with_columns(pl.col("title").cast(pl.Categorical), pl.col("reactions").cast(pl.Float32))],
    ids=["polars", "lazy", "arrow", "pandas", "dicts", "batch", "dtypes"],
)  # fmt: skip
def test_every_kind_of_table_gives_the_same_items(table: Any) -> None:
    raw = scan_items(table)
    assert raw.collect()["raw_row"].to_list() == [1, 2]
    assert normalise_items(raw).items.equals(expected())


def test_parquet_and_arrow_stay_lazy_until_they_are_collected(tmp_path: Path) -> None:
    FRAME.write_parquet(tmp_path / "a.parquet")
    assert "Parquet SCAN" in scan_items(tmp_path / "a.parquet").explain()


def test_files_are_read_in_order_of_name_wherever_they_were_named(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv", "c.csv"):
        (tmp_path / name).write_text(HEADER + LINE.format(n=name[0]))
    (tmp_path / "notes.txt").write_text("no table")
    (tmp_path / "sub").mkdir()
    names = ["a", "b", "c"]
    given: list[Any] = [
        tmp_path, str(tmp_path), tmp_path / "*.csv",
        [tmp_path / "c.csv", str(tmp_path / "[ab].csv"), tmp_path / "a.csv"],
    ]  # fmt: skip
    for source in given:
        raw = scan_items(source).collect()
        assert [title[-1] for title in raw["title"]] == names
        assert raw["raw_row"].to_list() == [1, 1, 1]


def test_how_rows_are_split_over_files_changes_nothing(tmp_path: Path) -> None:
    lines = [LINE.format(n=n % 3) for n in range(6)]
    (tmp_path / "all.csv").write_text(HEADER + "".join(lines))
    folder = tmp_path / "parts"
    folder.mkdir()
    (folder / "1.csv").write_text(HEADER + "".join(lines[:4]))
    (folder / "2.ndjson").write_text(
        "".join(
            json.dumps(dict(zip(("url", "title", "collected_at"), line.strip().split(","), strict=True)))
            + "\n"
            for line in lines[4:]
        )
    )
    assert normalise_items(scan_items(tmp_path / "all.csv")).items.equals(
        normalise_items(scan_items(folder)).items
    )


def test_files_whose_columns_differ_are_read_together(tmp_path: Path) -> None:
    one = FRAME.with_columns(collected_at=pl.lit(SEVEN), claims=pl.lit(["a"]), reactions=pl.lit(1))
    two = FRAME.with_columns(
        collected_at=pl.lit("2026-03-02T07:00:00Z"), claims=pl.lit("b"), views=pl.lit("2"), title=pl.lit(1.5)
    )
    one.write_parquet(tmp_path / "1.parquet")
    two.write_csv(tmp_path / "2.csv")
    two.select(pl.all().exclude("reactions")).write_parquet(tmp_path / "3.parquet")
    raw = scan_items(tmp_path).collect()
    assert raw["raw_row"].to_list() == [1, 2, 1, 2, 1, 2]
    found = normalise_items(raw)
    assert found.rejects.is_empty()
    assert found.items["views"].to_list() == [2, 2]
    assert found.items["collected_at"].to_list() == [SEVEN, SEVEN]


# --- rows that cannot be read -------------------------------------------------------------------


def rejected(path: Path, data: bytes) -> tuple[list[str], list[tuple[int, str]]]:
    path.write_bytes(data)
    found = normalise_items(scan_items(path))
    return sorted(found.items["title"]), [
        (row, reasons[0]) for row, reasons in found.rejects.select("raw_row", "reasons").rows()
    ]


def csv(*lines: bytes) -> bytes:
    return b"\n".join([HEADER.strip().encode(), *lines, b""])


def good(n: int) -> bytes:
    return LINE.format(n=n).strip().encode()


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (b"https://a.example/c,caf\xe9,2026-03-02T06:00:00Z", "unreadable: not UTF-8"),
        (b"https://a.example/c,too,many,2026-03-02T06:00:00Z", "unreadable: 4 fields where the header has 3"),
        (b"https://a.example/c,short", "unreadable: 2 fields where the header has 3"),
        (b'https://a.example/c,"short"', "unreadable: 2 fields where the header has 3"),
        (b'https://a.example/c,"never closed,2026-03-02T06:00:00Z', "unreadable: a quote is never closed"),
        (b'https://a.example/c,"a" b,2026-03-02T06:00:00Z', "unreadable: ',' expected after '\"'"),
    ],
)
def test_a_broken_line_is_one_reject_and_the_others_go_on(broken: bytes, reason: str, tmp_path: Path) -> None:
    titles, rejects = rejected(tmp_path / "a.csv", csv(good(1), broken, good(3)))
    assert titles == ["title 1", "title 3"]
    assert rejects == [(2, reason)]


def test_a_quote_that_swallows_a_record_or_the_rest_gives_up_its_line_alone(tmp_path: Path) -> None:
    opened = b'https://a.example/c,"opened,2026-03-02T06:00:00Z'
    titles, rejects = rejected(
        tmp_path / "a.csv", csv(good(1), opened, good(3), b'https://a.example/d,"x",1,2', good(4))
    )
    assert titles == ["title 1", "title 3", "title 4"]
    assert [row for row, _ in rejects] == [2, 4]
    # Two slips in a row close each other; what stands between them is still read.
    titles, rejects = rejected(tmp_path / "b.csv", csv(good(1), opened, good(3), opened, good(4)))
    assert titles == ["title 1", "title 3", "title 4"]
    assert [row for row, _ in rejects] == [2, 4]


def test_a_cell_longer_than_any_sane_one_is_an_unclosed_quote() -> None:
    lines = b"\n".join([b"a,b", b'x,"' + b"y" * 600_000, b"z" * 600_000, b'"', b"1,2", b""])
    frame = read_delimited(lines, separator=",", where="t")
    assert frame["raw_error"][0] == "unreadable: a quote is never closed"
    assert frame["b"][-1] == "2"


def test_a_cell_may_hold_line_ends_and_quotes(tmp_path: Path) -> None:
    cell = b'https://a.example/c,"two\nlines, ""quoted""",2026-03-02T06:00:00Z'
    assert rejected(tmp_path / "a.csv", csv(good(1), cell, good(3))) == (
        ["title 1", "title 3", 'two lines, "quoted"'],
        [],
    )
    # The careful reader, which one broken line calls in, reads the cell alike.
    both = rejected(tmp_path / "b.csv", csv(good(1), cell, b"x,\xe9", good(3)))
    assert both == (["title 1", "title 3", 'two lines, "quoted"'], [(3, "unreadable: not UTF-8")])


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (b'{"url": "https://a.example/c", "title": "cut', "unreadable: no JSON"),
        (b'{"title": "caf\xe9"}', "unreadable: not UTF-8"),
        (b"[1, 2]", "unreadable: no object but a list"),
        (b"null", "unreadable: no object but a NoneType"),
        (b"[" * 5_000, "unreadable: no JSON"),
    ],
)
def test_a_broken_json_line_is_one_reject_and_the_others_go_on(
    broken: bytes, reason: str, tmp_path: Path
) -> None:
    rows = [json.dumps(row).encode() for row in ROWS]
    titles, rejects = rejected(tmp_path / "a.ndjson", b"\n".join([rows[0], broken, b"", rows[1]]))
    assert titles == ['The "long" wait', "Tram, strike"]
    assert rejects == [(2, reason)]


def test_a_value_of_another_type_far_down_is_not_lost() -> None:
    rows = [{"id": n, "x": None} for n in range(2_000)] + [
        {"id": "late", "x": [1]},
        {"id": 1.5, "x": {"a": True}},
    ]
    data = "\n".join(json.dumps(row) for row in rows).encode()
    frame = read_json_lines(data, wanted=["id", "x"], where="t")
    assert frame["id"].to_list()[-2:] == ["late", "1.5"]
    assert [json.loads(text) for text in frame["x"].to_list()[-2:]] == [[1], {"a": True}]


VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text("ab\"',\\ é\n", max_size=6)
    | st.lists(st.integers(0, 9), max_size=3)
)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from(["a", "b"]), VALUES, min_size=1), min_size=1, max_size=8))
def test_one_broken_json_line_changes_no_other_row(rows: list[dict[str, Any]]) -> None:
    data = "\n".join(json.dumps(row) for row in rows).encode()
    clean = read_json_lines(data, wanted=["a", "b"], where="t")
    broken = read_json_lines(data + b"\n{", wanted=["a", "b"], where="t").head(len(rows))
    for name in ("a", "b"):
        if name in clean.columns:
            told = [value and value.replace(" ", "") for value in broken[name]]
            assert [value and value.replace(" ", "") for value in clean[name]] == told


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.text("ab\"', é\n", max_size=6), min_size=2, max_size=2), min_size=1, max_size=8))
def test_one_broken_csv_line_changes_no_other_row(rows: list[list[str]]) -> None:
    frame = pl.DataFrame({"a": ["x" + row[0] for row in rows], "b": [row[1] for row in rows]})
    data = frame.write_csv().encode()
    clean = read_delimited(data, separator=",", where="t")
    broken = read_delimited(data + b"x,\xe9\n", separator=",", where="t").head(len(rows))
    # An empty cell in quotes is empty text to one reader and null to the other; both are nothing.
    assert clean.fill_null("").equals(broken.fill_null(""))
    assert clean["a"].to_list() == frame["a"].to_list()


def test_entries_that_are_no_rows_are_rejects(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps([ROWS[0], 7, ROWS[1]]))
    for source in (tmp_path / "a.json", [ROWS[0], 7, ROWS[1]]):
        found = normalise_items(scan_items(source))
        assert found.rejects.select("raw_row", "reasons", "raw").rows() == [
            (2, ["unreadable: no object but a int"], "7")
        ]
        assert found.items.height == 2


# --- files that cannot be read ------------------------------------------------------------------


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.csv", b"", "is empty: zero bytes"),
        ("a.parquet", b"", "is empty: zero bytes"),
        ("a.csv", b" \n\n", "holds no header"),
        ("a.csv", b"a,a\n1,2\n", "is no list of column names"),
        ("a.csv", b"caf\xe9,b\n1,2\n", "is no list of column names"),
        ("a.ndjson", b"\n\n", "holds no rows"),
        ("a.ndjson", b"url,title\nx,y\n", "is a JSON object"),
        ("a.json", b'[{"url": "x"}, {"ur', "cannot read"),
        ("a.json", b'"text"', "holds one str"),
        ("a.parquet", b"PAR1 not a table", "cannot read"),
        ("a.arrow", b"ARROW1 not a table", "cannot read"),
        ("a.arrow", b"neither file nor stream", "cannot read"),
        ("a.csv.gz", b"not packed", "cannot read"),
        # mtime: a pack holds the hour it was made, and the data is part of the test's name.
        ("a.csv.gz", gzip.compress(b"url,title\n" * 900, mtime=0)[:30], "cannot read"),
        ("a.xlsx", b"PK", "is of no known kind"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_one_clear_error(
    name: str, data: bytes, said: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as raised:
        scan_items(write(tmp_path / name, data)).collect()
    assert said in str(raised.value)
    assert name in str(raised.value).splitlines()[0]
    assert raised.value.exit_code == 2


def test_a_truncated_parquet_file_is_found_before_the_run(tmp_path: Path) -> None:
    FRAME.write_parquet(tmp_path / "a.parquet")
    whole = (tmp_path / "a.parquet").read_bytes()
    with pytest.raises(InputError, match="cannot read"):
        scan_items(write(tmp_path / "a.parquet", whole[: len(whole) // 2]))


def test_what_is_not_there_is_named_with_what_is_near(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text(HEADER)
    with pytest.raises(InputError, match="did you mean 'items.csv'"):
        scan_items(tmp_path / "item.csv")
    with pytest.raises(InputError, match="there is no folder"):
        scan_items(tmp_path / "none" / "item.csv")
    with pytest.raises(InputError, match="no file matches"):
        scan_items(tmp_path / "*.parquet")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no files to read in folder"):
        scan_items(tmp_path / "empty")


@pytest.mark.parametrize(
    "source",
    [7, object(), [FRAME, "a.csv"], {"url": ["x"]}, pd.Series([1]), pa.array([1])],
    ids=["number", "object", "frames and paths", "dict of columns", "series", "array"],
)
def test_what_is_no_source_is_refused(source: Any) -> None:
    with pytest.raises(BrandkitError):
        scan_items(source)


def test_a_table_without_time_or_identity_is_refused_before_every_row_is() -> None:
    with pytest.raises(InputError, match="when the rows of the table were collected"):
        scan_items(FRAME.drop("collected_at"))
    with pytest.raises(InputError, match="neither url nor native_id"):
        scan_items(FRAME.drop("url"))


def test_a_column_of_lists_in_one_file_and_of_text_in_another_is_one_column(tmp_path: Path) -> None:
    base = FRAME.select("url", "title", "collected_at")
    base.with_columns(claims=pl.lit(["a"]), summary=pl.lit(["no text"])).write_parquet(tmp_path / "1.parquet")
    base.with_columns(claims=pl.lit(7), summary=pl.lit("text")).write_parquet(tmp_path / "2.parquet")
    raw = scan_items(tmp_path).collect()
    assert raw["claims"].to_list() == [["a"], ["a"], ["7"], ["7"]]
    assert raw["summary"].to_list() == [None, None, "text", "text"]


def test_no_rows_are_an_empty_day_and_no_error(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(HEADER)
    (tmp_path / "a.json").write_text("[]")
    FRAME.clear().write_parquet(tmp_path / "a.parquet")
    for source in (
        tmp_path / "a.csv",
        tmp_path / "a.json",
        tmp_path / "a.parquet",
        [],
        pl.DataFrame(),
        tmp_path,
    ):
        assert normalise_items(scan_items(source)).items.is_empty()


def test_one_file_named_twice_is_read_once(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", (HEADER + LINE.format(n=1)).encode())
    assert found_files([path, str(path), tmp_path]) == [path]


# --- tables in memory ---------------------------------------------------------------------------


def test_pandas_in_all_its_looseness_is_read() -> None:
    frame = pd.DataFrame(
        {
            "url": ["https://a.example/x", "https://a.example/y"],
            "native_id": [1.0, float("nan")],
            "title": ["a", 5],
            "collected_at": pd.to_datetime(["2026-03-02T07:00:00Z", "2026-03-02T08:00:00Z"]),
            "published_at": [pd.Timestamp("2026-03-02T05:00:00Z"), None],
            "claims": [["a", "b"], None],
            "reactions": pd.array([1, None], dtype="Int64"),
        },
        index=[7, 9],
    )
    found = normalise_items(scan_items(frame))
    assert found.rejects.is_empty()
    items = found.items.sort("title")
    assert items["title"].to_list() == ["5", "a"]
    assert items["claims"].to_list() == [[], ["a", "b"]]
    assert items["reactions"].to_list() == [None, 1]


def test_pandas_columns_of_one_name_are_refused() -> None:
    with pytest.raises(InputError, match="one name"):
        scan_items(pd.DataFrame([[1, 2]], columns=["url", "url"]))


def test_python_objects_in_a_polars_frame_are_read() -> None:
    frame = FRAME.with_columns(pl.Series("summary", [{"a"}, None], dtype=pl.Object))
    assert scan_items(frame).collect()["summary"].to_list() == ["{'a'}", None]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([1, None], [1, None]),
        ([1, 1.5], [1.0, 1.5]),
        ([1, "a"], ["1", "a"]),
        ([2**70, None], [str(2**70), None]),
        ([True, None], ["True", None]),
        ([[1, "a"], None], [["1", "a"], None]),
        ([{"a": 1}], ['{"a": 1}']),
        ([date(2026, 3, 2), SEVEN], ["2026-03-02", "2026-03-02T07:00:00+00:00"]),
        ([b"caf\xe9", float("nan")], ["caf\ufffd", None]),
        (["half \ud800"], ["half "]),
    ],
)  # fmt: skip
def test_a_column_has_one_dtype_whatever_stands_in_it(values: list[Any], told: list[Any]) -> None:
    assert column("x", values).to_list() == told
