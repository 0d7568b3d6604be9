from __future__ import annotations

import csv
import io
import re
import subprocess
import sys
import unicodedata
from html.parser import HTMLParser

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from rich.console import Console
from rich.text import Text

from brandkit import safe
from brandkit.errors import EXIT_USAGE, UsageError
from tests.hostile import vectors

ANY_TEXT = st.text(
    alphabet=st.one_of(
        st.characters(exclude_categories=["Cs", "Cn"]),
        st.sampled_from("\x00\x1b\t\n\x85\u200b\u200c\u200d\u202e\u2028\u0301\ufeff e\u212a\u0646\U0001f468"),
    )
)


# plain text


@pytest.mark.parametrize(
    ("given_text", "plain"),
    [
        ("Nova  opens\ta\r\nlab ", "Nova opens a lab"),
        ("Cafe\u0301", "Caf\u00e9"),
        ("e\u200b\u0301", "\u00e9"),
        ("a\x00b\x1b[31mc\x9b", "ab[31mc"),
        ("pay \u202egnp.exe\u202c now", "pay gnp.exe now"),
        ("\u2066No\u2069va\u061c", "Nova"),
        ("No\u200bva\u00ad\ufeff", "Nova"),
        ("No\u200dva, \u200cNova", "Nova, Nova"),
        ("end\u2028of\u3000line\x85here", "end of line here"),
        ("hi\U000e0068\U000e0069", "hi"),
        ("<b>R&amp;D</b>", "<b>R&amp;D</b>"),
        ("\u202e \t", ""),
        ("", ""),
    ],
)
def test_plain_text_shows_what_a_reader_sees(given_text: str, plain: str) -> None:
    assert safe.plain_text(given_text) == plain
    assert pl.select(safe.plain_text_expr(pl.lit(given_text))).item() == plain


@pytest.mark.parametrize(
    "text",
    ["\u0646\u0627\u0645\u0647\u200c\u0647\u0627", "\u0915\u094d\u200d\u0937", "\U0001f469\u200d\U0001f4bb"],
    ids=["persian", "hindi", "emoji"],
)
def test_joiners_that_spell_a_word_stay(text: str) -> None:
    assert safe.plain_text(text) == text


def test_plain_text_drops_half_of_a_surrogate_pair() -> None:
    assert safe.plain_text("a\ud800b") == "ab"


def test_plain_text_keeps_nulls_and_takes_a_column_name() -> None:
    titles = pl.DataFrame({"title": [" a ", None, "\x07"]})
    assert_frame_equal(titles.select(safe.plain_text_expr("title")), pl.DataFrame({"title": ["a", None, ""]}))


@given(ANY_TEXT)
def test_plain_text_is_the_same_for_a_value_and_a_column(text: str) -> None:
    assert pl.select(safe.plain_text_expr(pl.lit(text))).item() == safe.plain_text(text)


@given(ANY_TEXT)
def test_plain_text_of_plain_text_is_itself(text: str) -> None:
    once = safe.plain_text(text)
    assert safe.plain_text(once) == once


@given(ANY_TEXT)
def test_plain_text_holds_no_control_or_bidi_character(text: str) -> None:
    plain = safe.plain_text(text)
    assert unicodedata.is_normalized("NFC", plain)
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b\u200e\u200f]|  |^ | $", plain)


# HTML

MARKUP = [
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(2)</script>",
    "' onmouseover='x",
    '" onmouseover="x',
    "&lt;script&gt;",
    "a\x00<b\x1b>",
]


class _Reader(HTMLParser):
    """What a browser would make of a fragment: its tags and its text."""

    def __init__(self, fragment: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(fragment)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("text", MARKUP)
def test_markup_is_shown_and_not_run(text: str) -> None:
    in_element = _Reader(f"<p>{safe.html_text(text)}</p>")
    assert [tag for tag, _ in in_element.tags] == ["p"]
    assert in_element.text == text.replace("\x00", "").replace("\x1b", "")
    for quote in "\"'":
        in_attribute = _Reader(f"<p title={quote}{safe.html_text(text)}{quote}>")
        assert [set(attributes) for _, attributes in in_attribute.tags] == [{"title"}]


@given(ANY_TEXT)
def test_no_text_opens_a_tag(text: str) -> None:
    assert _Reader(safe.html_text(text)).tags == []
    assert [tag for tag, _ in _Reader(safe.html_link("https://a.example/", text)).tags] == ["a"]


def test_a_web_address_becomes_a_link_that_tells_nobody() -> None:
    assert safe.html_link("https://nova.example/a?b=1&c='2'", "Nova <opens>") == (
        '<a href="https://nova.example/a?b=1&amp;c=&#x27;2&#x27;" rel="noopener noreferrer nofollow">'
        "Nova &lt;opens&gt;</a>"
    )


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "javascript:alert(1)",
        "JaVa\tScRiPt:alert(1)",
        "java\nscript:alert(1)",
        " javascript:alert(1)",
        "\x01javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        'https://a"onmouseover="x',
        "https://a.example/<script>",
        "https://reuters.example@evil.example/",
        "http://ok.example\\@127.0.0.1/",
        "https://nova.example/\u202egpj.exe",
        "https://[::1",
        "https://",
        "https:nova.example",
        "//nova.example/",
        "nova.example",
        "file:///etc/passwd",
        "feed://nova.example/",
    ],
)
def test_any_other_address_is_shown_without_a_link(url: str | None) -> None:
    assert safe.html_link(url, "<read>") == "&lt;read&gt;"


# CSV


@pytest.mark.parametrize(
    "cell",
    [
        '=HYPERLINK("https://evil.example","x")',
        "+1",
        "-2+3+cmd|'/c calc'!A1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\tplain",
        "\n=1",
        "  =1",
        "\u200b=1",
        "\uff1d1+1",
        "\uff0b1",
        "\uff0d1",
        "\uff20A1",
        "\ufe661",
    ],
)
def test_a_cell_that_starts_a_formula_becomes_text(cell: str) -> None:
    cells = safe.csv_cells(pl.DataFrame({"title": [cell]}))
    assert cells["title"].to_list() == [f"'{cell}"]
    written = list(csv.reader(io.StringIO(cells.write_csv(), newline="")))
    assert written[1] == [f"'{cell}"]


def test_numbers_stay_numbers_and_harmless_cells_stay_as_they_are() -> None:
    frame = pl.DataFrame(
        {
            "total": [-5, 7],
            "velocity_h": [-5.0, None],
            "title": ["1-0 after extra time", None],
            "note": ["a=b", "'quoted'"],
        }
    )
    assert_frame_equal(safe.csv_cells(frame), frame)


def test_enums_and_column_names_are_cells_too() -> None:
    frame = pl.DataFrame(
        {"=tier": ["@A", "B"], "source": ["+x", None]},
        schema={"=tier": pl.Enum(["@A", "B"]), "source": pl.Categorical},
    )
    assert_frame_equal(safe.csv_cells(frame), pl.DataFrame({"'=tier": ["'@A", "B"], "source": ["'+x", None]}))


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_no_cell_starts_a_formula_wherever_a_spreadsheet_parts_a_line(separator: str) -> None:
    texts = [*vectors(), "a;=1+1", "a\t@A1", "a|-1", 'a";=1', "a,=1"]
    frame = pl.DataFrame({"title": texts, "total": range(-1, len(texts) - 1)})
    out = io.BytesIO()
    safe.write_csv(frame, out, has_mark=True)
    lines = list(csv.reader(io.StringIO(out.getvalue().decode("utf-8-sig"), newline=""), delimiter=separator))
    cells = [cell for line in lines for cell in line]
    is_formula = re.compile("[ \u200b\t\r\n]*[=+@\uff1d-]")
    assert {cell for cell in cells if is_formula.match(cell)} <= {"-1"}
    if separator == ",":
        assert [line[0].removeprefix("'") for line in lines[1:]] == [text.removeprefix("'") for text in texts]
        assert [line[1] for line in lines[1:3]] == ["-1", "0"]


@given(st.lists(ANY_TEXT, max_size=4))
def test_no_cell_of_any_text_starts_a_formula(texts: list[str]) -> None:
    cells = safe.csv_cells(pl.DataFrame({"title": texts}, schema={"title": pl.String}))["title"]
    assert not cells.str.contains("^[ \t\r\n]*[=+\uff1d\uff0b@-]").any()
    assert [cell.removeprefix("'") for cell in cells] == [text.removeprefix("'") for text in texts]


# terminal


@pytest.mark.parametrize(
    ("given_text", "shown"),
    [
        ("\x1b]0;pwn\x07", "\\x1b]0;pwn\\x07"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\x9b31m", "\\x9b31m"),
        ("a\nb\tc\rd", "a\\nb\\tc\\rd"),
        ("\u202egpj\u2028", "\\u202egpj\\u2028"),
        ("half \ud83d", "half \\ud83d"),
        ("[/red] [link=https://evil.example]x[/link]", "[/red] [link=https://evil.example]x[/link]"),
        ("Ørsted \U0001f469\u200d\U0001f4bb 日本", "Ørsted \U0001f469\u200d\U0001f4bb 日本"),
    ],
)
def test_a_terminal_shows_control_characters_instead_of_obeying(given_text: str, shown: str) -> None:
    assert safe.terminal(given_text) == shown


def test_our_own_line_ends_can_stay() -> None:
    assert safe.terminal("one\ntwo\x1b", keep_lines=True) == "one\ntwo\\x1b"


def test_rich_prints_markup_from_outside_to_the_letter() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=80, color_system="truecolor")
    console.print(Text(safe.terminal("[/red] [link=https://evil.example]x \x1b]8;;y\x07")))
    assert out.getvalue() == "[/red] [link=https://evil.example]x \\x1b]8;;y\\x07\n"


# paths


@pytest.mark.parametrize("text", ["desk", "desk.daily.2026-03-02.1", "a_b-c", "0", "a" * 64])
def test_a_good_segment_is_given_back(text: str) -> None:
    assert safe.path_segment(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "../../x",
        "/etc/x",
        "a/b",
        "a\\b",
        "a\x00b",
        "CON",
        "..%2f",
        ".hidden",
        "-rf",
        "a b",
        "desk\n",
        "désk",
        "a" * 65,
        "a" * 300,
    ],
)
def test_a_segment_that_could_leave_its_folder_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="cannot stand in a path\n  allowed: ") as refused:
        safe.path_segment(text, kind="run")
    assert refused.value.exit_code == EXIT_USAGE
    assert str(refused.value).startswith("run '")
    assert "\x00" not in str(refused.value)
    assert len(str(refused.value)) < 250


def test_importing_safe_does_not_load_polars() -> None:
    check = "import sys, brandkit.safe; raise SystemExit('polars' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
