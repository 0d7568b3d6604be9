from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brandkit import schemas
from brandkit.errors import ContractError
from brandkit.normalise import RAW_COLUMNS, account_key, admit, normalise, normalise_items
from brandkit.normalise.identity import account_keys, digest, digests
from brandkit.normalise.values import split_lists
from brandkit.pipeline import Checked, History, Pipeline, RunContext, Stage
from brandkit.profile import BrandProfile

SEVEN = datetime(2026, 3, 2, 7, tzinfo=UTC)
HOUR = timedelta(hours=1)
DESK = BrandProfile.from_dict({"id": "desk", "own": ["Nordlys"]})
GOOD: dict[str, Any] = {
    "url": "https://a.example/x", "title": "Tram strike", "collected_at": "2026-03-02T06:00:00Z",
    "source": "web", "item_type": "article",
}  # fmt: skip


def raw(*rows: dict[str, Any], **dtypes: Any) -> pl.LazyFrame:
    full = [{**GOOD, **row} for row in rows]
    names = list(dict.fromkeys(name for row in full for name in row))
    return pl.LazyFrame(
        {n: pl.Series([row.get(n) for row in full], dtype=dtypes.get(n), strict=False) for n in names}
    )


def read(*rows: dict[str, Any], **dtypes: Any) -> pl.DataFrame:
    return normalise(raw(*rows, **dtypes)).collect()


def context(history: History | None = None, *, as_of: datetime = SEVEN, hours: int = 24) -> RunContext:
    return RunContext(
        profile=DESK,
        as_of=as_of,
        window_start=as_of - hours * HOUR,
        run_id="t",
        history=history or History.empty(),
    )


def run(rows: pl.LazyFrame, ctx: RunContext | None = None) -> Checked:
    ctx = ctx or context()
    frame = normalise(rows, ctx).collect()
    checked = admit(frame, ctx)
    out = checked.frame.height + checked.rejects.height + checked.folded + checked.set_aside
    assert frame.height + checked.added == out
    return checked


def at(hour: int, minute: int = 0) -> str:
    return (datetime(2026, 3, 2, tzinfo=UTC) + timedelta(hours=hour, minutes=minute)).isoformat()


# --- rows ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"url": None}, "no_identity"),
        ({"url": "javascript:alert(1)"}, "no_identity"),
        ({"url": None, "native_id": "7", "source": None}, "no_identity"),
        ({"collected_at": None}, "no_collected_at"),
        ({"collected_at": "  "}, "no_collected_at"),
        ({"collected_at": "2026-03-02T06:00:00"}, "naive_time:collected_at"),
        ({"collected_at": "soon"}, "bad_time:collected_at"),
        ({"collected_at": "1970-01-01T00:00:00Z"}, "bad_time:collected_at"),
        ({"observed_at": "2026-03-02T06:00:00"}, "naive_time:observed_at"),
        ({"observed_at": "soon"}, "bad_time:observed_at"),
        ({"url": None, "native_id": "7", "title": None}, "no_title"),
    ],
)
def test_a_row_that_cannot_be_an_item_is_rejected_with_its_reason(row: dict[str, Any], reason: str) -> None:
    checked = run(raw(row))
    assert checked.rejects["reasons"].to_list() == [[reason]]
    assert checked.frame.is_empty()


def test_a_reject_shows_the_row_as_it_came_and_where() -> None:
    rows = raw({"url": None, "title": "x" * 5_000}).with_columns(raw_file=pl.lit("a.csv"), raw_row=pl.lit(3))
    reject = run(rows).rejects.row(0, named=True)
    assert (reject["raw_file"], reject["raw_row"], reject["stage"]) == ("a.csv", 3, "normalise")
    assert reject["raw"].startswith('{"source":"web"') or '"title":"xxx' in reject["raw"]
    assert len(reject["raw"]) == 4_000
    assert run(rows).rejects.schema == pl.Schema(dict(schemas.REJECT))


def test_an_unreadable_row_has_one_reason_and_its_text() -> None:
    rows = raw({}).with_columns(raw_error=pl.lit("unreadable: not UTF-8"), raw_text=pl.lit("1,caf\ufffd"))
    assert run(rows).rejects.select("reasons", "raw").row(0) == (["unreadable: not UTF-8"], "1,caf\ufffd")


def test_a_null_title_is_fine_where_there_is_a_url_or_a_metric() -> None:
    bare = {"url": None, "native_id": "7", "title": None, "item_type": "post"}
    rows = read({**bare, "reactions": 5}, {**bare, "target_url": "https://b.example/"}, {"title": None})
    assert rows["reject_reasons"].list.len().to_list() == [0, 0, 0]


@pytest.mark.parametrize(
    ("value", "count"),
    [(3, 3), ("3", 3), ("3.0", 3), (3.0, 3), (" 3 ", 3), (0, 0), ("1e3", 1000), (10**12, 10**12)],
)
def test_a_count_is_a_whole_number_from_0(value: Any, count: int) -> None:
    frame = read({"reactions": value})
    assert frame.select("reactions", "lost").row(0) == (count, [])


@pytest.mark.parametrize(
    "value",
    [
        -1,
        "-1",
        1.5,
        "1.5",
        float("nan"),
        "nan",
        float("inf"),
        "many",
        "1,234",
        "99999999999999999999",
        10**13,
        True,
    ],
)
def test_a_broken_count_is_null_and_reported_as_lost(value: Any) -> None:
    frame = read({"reactions": value})
    assert frame.select("reactions", "lost").row(0) == (None, ["reactions"])
    assert frame["reject_reasons"].to_list() == [[]]


def test_counts_of_every_numeric_dtype_are_read() -> None:
    for dtype in (pl.Int8, pl.UInt64, pl.Int128, pl.Float32, pl.Decimal(10, 2)):
        value = Decimal(7) if dtype == pl.Decimal(10, 2) else 7
        assert read({"views": value}, views=dtype)["views"].item() == 7
    assert read({"views": 2**64 - 1}, views=pl.UInt64)["lost"].item().to_list() == ["views"]


def test_what_was_given_and_is_not_any_more_is_named_in_lost() -> None:
    row = {
        "url": "ftp://x.example/", "native_id": "7", "published_at": "2026-03-01T10:00:00", "views": "x",
        "item_type": "podcast", "title": "x" * 1_001, "evidence": ["https://a.example/e", "see below"],
    }  # fmt: skip
    frame = read(row)
    assert frame["lost"].item().to_list() == [
        "item_type", "url", "title", "naive_time:published_at", "views", "evidence"
    ]  # fmt: skip
    assert frame["item_type"].item() == "other"
    assert frame["title"].item() == "x" * 1_000
    assert frame["evidence"].item().to_list() == ["https://a.example/e"]


def test_a_time_of_publication_that_cannot_be_true_is_lost() -> None:
    rows = read(
        *(
            {"published_at": t}
            for t in ("2026-03-04T07:00:00Z", "1980-01-01T00:00:00Z", "2026-03-04T06:00:00Z")
        )
    )
    # Collected on 2 March at 06:00: two days ahead is the last that is believed.
    assert rows["published_at"].to_list() == [None, None, datetime(2026, 3, 4, 6, tzinfo=UTC)]
    assert rows["lost"].list.len().to_list() == [1, 1, 0]


def test_nothing_is_invented_for_what_is_not_there() -> None:
    frame = read({})
    nulls = [name for name in frame.columns if frame[name].null_count()]
    assert {"published_at", "author", "reactions", "summary", "account", "observed_at"} <= set(nulls)
    assert frame.select("claims", "evidence", "risk_flags", "lost").row(0) == ([], [], [], [])


def test_lists_come_as_lists_as_bars_and_as_json() -> None:
    rows = [
        {"claims": "a | b||a"},
        {"claims": '["a", "b", 3, {"x": 1}]'},
        {"claims": "[broken"},
        {"claims": ""},
        {"claims": None},
    ]
    assert read(*rows)["claims"].to_list() == [["a", "b"], ["a", "b", "3"], ["[broken"], [], []]
    assert read({"claims": ["a\u200b", " ", "a", None]})["claims"].to_list() == [["a"]]
    assert read({"claims": [1, 2]}, claims=pl.List(pl.Int64))["claims"].to_list() == [["1", "2"]]


@pytest.mark.parametrize("dtype", [pl.Categorical, pl.Enum(["Tram strike"]), pl.Binary])
def test_text_of_any_dtype_is_text(dtype: Any) -> None:
    value = b"Tram strike" if dtype == pl.Binary else "Tram strike"
    assert read({"title": value}, title=dtype)["title"].item() == "Tram strike"


def test_what_is_no_text_is_lost_and_still_can_be_shown() -> None:
    nested = pl.List(pl.Binary)
    checked = run(
        raw({"summary": [b"\xff"], "claims": [b"\xff"], "url": None}, summary=nested, claims=nested)
    )
    assert '"summary":{"unreadable":true}' in checked.rejects["raw"].item()
    assert read({"summary": [1]})["lost"].item().to_list() == ["summary"]


def test_whole_ids_are_one_id_whether_integer_float_or_text() -> None:
    post = {"url": None, "item_type": "post", "source": "forum"}
    ids = [read({**post, "native_id": value})["item_id"].item() for value in (7, 7.0, "7", " 7 ")]
    assert set(ids) == {digest("id:forum\x1f7")}


# --- identity -----------------------------------------------------------------------------------


def test_an_article_is_its_url_and_a_post_its_platform_and_id() -> None:
    both = {"native_id": "7", "source": "Forum"}
    rows = read(
        {**both},
        {**both, "item_type": "post"},
        {**both, "item_type": "post", "native_id": None},
        {**both, "url": None},
    )
    by_url, by_id = digest("url:a.example/x"), digest("id:forum\x1f7")
    assert rows["item_id"].to_list() == [by_url, by_id, by_url, by_id]


def test_an_edited_article_is_the_same_item_with_other_content() -> None:
    rows = read({}, {"title": "Tram strike over"}, {"url": "http://www.a.example/x/"}, {"views": 3})
    assert rows["item_id"].n_unique() == 1
    # A count and another way to the same page change nothing of the content.
    assert (
        rows["content_hash"].to_list()[0]
        == rows["content_hash"].to_list()[2]
        == rows["content_hash"].to_list()[3]
    )
    assert rows["content_hash"].n_unique() == 2


def test_hashes_are_the_same_for_ever() -> None:
    frame = read({"published_at": "2026-03-02T05:00:00Z", "claims": ["a", "b"]})
    assert frame.select("item_id", "content_hash").row(0) == ("4c393afa0d71aa3b", "1b71aef7fcf42f6e")


def test_a_source_that_is_not_named_is_the_domain() -> None:
    assert read({"source": None, "url": "https://news.a.example/x"})["source"].item() == "a.example"
    assert read({"source": None, "url": "https://10.0.0.1/x"})["source"].item() == "10.0.0.1"


def test_an_account_goes_by_its_pseudonym_unless_told_otherwise() -> None:
    row = {"item_type": "post", "source": "Forum", "account": "@Ada"}
    key = account_key("forum", "ada")
    assert read(row).select("account", "publisher").row(0) == (key, f"forum:{key}")
    named = normalise(raw(row), pseudonymise=False).collect()
    assert named.select("account", "publisher").row(0) == ("@Ada", "forum:@ada")


def test_a_post_is_published_by_its_account_and_an_article_by_its_domain() -> None:
    rows = read({"item_type": "post", "account": None}, {"item_type": "article", "account": "ada"})
    assert rows["publisher"].to_list() == [None, "a.example"]


def test_what_runs_inside_the_plan_is_pure_and_keeps_its_rows() -> None:
    texts = pl.Series("t", ["a", None, "b", "a"])
    assert digests(texts).to_list() == [digest("a"), None, digest("b"), digest("a")]
    pairs = pl.Series("t", ["forum\x1f@Ada", None, "forum\x1fada"])
    assert account_keys(pairs).to_list() == [account_key("forum", "ada"), None, account_key("forum", "ada")]
    lists = pl.Series("t", ["a|b", None, '["c", 1, null]', "[broken", ""])
    assert split_lists(lists).to_list() == [["a", "b"], None, ["c", "1"], ["[broken"], [""]]
    assert split_lists(lists.head(2), separator="b").to_list() == [["a|", ""], None]


# --- the checkpoint -----------------------------------------------------------------------------


def test_sightings_of_one_item_fold_into_one_row_with_its_highest_counts() -> None:
    post = {"url": None, "native_id": "7", "item_type": "post"}
    seen = [
        {**post, "observed_at": at(h), "reactions": n, "comments": c}
        for h, n, c in ((4, 10, None), (5, 30, 2), (6, 20, None))
    ]
    checked = run(raw(*seen))
    item = checked.frame.row(0, named=True)
    assert (checked.frame.height, checked.folded) == (1, 2)
    assert (item["reactions"], item["comments"], item["shares"]) == (30, 2, None)
    assert (item["collected_at"].hour, item["seen_at"].hour) == (4, 6)
    assert checked.outputs["observations"]["reactions"].to_list() == [10, 30, 20]


def test_one_instant_seen_twice_is_one_observation_with_the_higher_counts() -> None:
    checked = run(raw({"reactions": 1, "views": 9}, {"reactions": 4, "views": None}))
    assert checked.outputs["observations"].select("reactions", "views").rows() == [(4, 9)]


def test_revisions_count_contents_by_first_sighting_and_the_newest_stands() -> None:
    texts = [("a", 1), ("b", 2), ("a", 3), ("c", 4)]
    checked = run(raw(*({"title": t, "collected_at": at(h)} for t, h in texts)))
    assert checked.outputs["items"].select("title", "revision").rows() == [("a", 1), ("b", 2), ("c", 3)]
    assert checked.frame.select("title", "revision").row(0) == ("c", 3)


def test_a_run_does_not_look_ahead() -> None:
    checked = run(raw({"title": "a", "reactions": 1}, {"title": "b", "collected_at": at(7), "reactions": 9}))
    assert checked.frame.select("title", "reactions", "seen_at").row(0) == ("a", 1, SEVEN - HOUR)
    assert checked.observations is not None
    assert checked.observations["reactions"].to_list() == [1]
    # The store is told of both: the next run will know them.
    assert checked.outputs["items"]["title"].to_list() == ["a", "b"]
    assert checked.outputs["observations"]["reactions"].to_list() == [1, 9]


def test_items_are_in_scope_in_context_or_set_aside() -> None:
    times = {
        "scope": at(6),
        "edge": at(-17),
        "context": at(-18),
        "oldest": at(-17 - 72),
        "old": at(-18 - 72),
        "future": at(7),
    }
    rows = raw(*({"url": f"https://a.example/{n}", "title": n, "collected_at": t} for n, t in times.items()))
    checked = run(rows)
    scope = dict(checked.frame.select("title", "in_scope").rows())
    assert scope == {"scope": True, "edge": True, "context": False, "oldest": False}
    assert checked.set_aside == 2
    assert checked.outputs["items"].height == 6


def past(rows: pl.LazyFrame, *, as_of: datetime) -> History:
    """What a store would hand on after a run of these rows."""
    checked = run(rows, context(as_of=as_of))
    items = checked.frame.with_columns(story_id=pl.lit("s1")).select(list(schemas.HISTORY_ITEM))
    empty = History.empty()
    return History(
        items,
        checked.outputs["observations"],
        empty.shares,
        empty.baselines,
        empty.story_rules,
        empty.verdicts,
    )


def test_history_goes_on_where_it_stopped() -> None:
    history = past(
        raw({"title": "a", "reactions": 5, "collected_at": at(1)}, {"title": "b", "collected_at": at(2)}),
        as_of=SEVEN - 3 * HOUR,
    )
    checked = run(
        raw({"title": "b", "collected_at": at(5), "reactions": 2}, {"title": "c", "collected_at": at(6)}),
        context(history),
    )
    item = checked.frame.row(0, named=True)
    assert (item["title"], item["revision"], item["reactions"], item["earlier_story_id"]) == ("c", 3, 5, "s1")
    assert (item["collected_at"].hour, item["seen_at"].hour) == (1, 6)
    assert (checked.added, checked.folded, checked.frame.height) == (1, 2, 1)
    assert checked.outputs["items"].select("title", "revision").rows() == [("c", 3)]
    assert checked.observations is not None
    assert checked.observations.height == 4


def test_an_older_edit_that_comes_late_does_not_become_what_the_item_says() -> None:
    history = past(raw({"title": "b", "collected_at": at(5)}), as_of=SEVEN - HOUR)
    checked = run(raw({"title": "a", "collected_at": at(3)}), context(history))
    assert checked.frame.select("title", "revision").row(0) == ("b", 1)
    assert checked.frame["collected_at"].item().hour == 3
    assert checked.outputs["items"].select("title", "revision").rows() == [("a", 2)]


def test_an_old_item_of_the_history_is_context_and_one_seen_again_is_in_scope() -> None:
    history = past(raw({"collected_at": "2026-01-01T00:00:00Z"}), as_of=datetime(2026, 1, 2, tzinfo=UTC))
    assert (
        run(raw({"url": "https://a.example/y"}), context(history)).frame["in_scope"].to_list().count(False)
        == 1
    )
    assert run(raw({}), context(history)).frame["in_scope"].to_list() == [True]


def test_an_item_twice_in_the_history_is_a_broken_frame() -> None:
    history = past(raw({}), as_of=SEVEN)
    twice = History(
        pl.concat([history.items] * 2),
        *(getattr(history, n) for n in ("observations", "shares", "baselines", "story_rules", "verdicts")),
    )
    with pytest.raises(ContractError, match="twice in the history"):
        run(raw({}), context(twice))


def spoilt(items: pl.LazyFrame, ctx: RunContext) -> pl.LazyFrame:
    return items.with_columns(
        reactions=pl.when(pl.col("title") == "bad").then(-5).otherwise("reactions").cast(pl.Int64)
    )


def test_a_bad_value_inside_a_lazy_frame_is_caught_at_the_checkpoint() -> None:
    stages = (Stage("normalise", normalise), Stage("spoil", spoilt, checkpoint=admit))
    rows = raw({"reactions": 1}, {"url": "https://a.example/y", "title": "bad", "reactions": 1})
    result = Pipeline(stages).run(rows, context())
    assert result.frame["title"].to_list() == ["Tram strike"]
    assert result.rejects["reasons"].to_list() == [["reactions: greater_than_or_equal_to(0)"]]


def test_a_frame_that_is_broken_as_a_whole_is_nobodys_reject() -> None:
    frame = normalise(raw({})).collect()
    with pytest.raises(ContractError, match="item frame is broken: views"):
        admit(frame.with_columns(pl.col("views").cast(pl.Float64)), context())


def test_an_empty_input_is_an_empty_run() -> None:
    for rows in (pl.LazyFrame(), raw().head(0), pl.LazyFrame(schema=dict.fromkeys(RAW_COLUMNS, pl.String()))):
        checked = run(rows)
        assert checked.frame.is_empty()
        assert checked.frame.columns == [*schemas.ITEM, "earlier_story_id", "in_scope"]
        assert checked.outputs["items"].schema == pl.Schema(dict(schemas.ITEM))


def test_without_a_run_all_sightings_are_seen() -> None:
    found = normalise_items(raw({}, {"collected_at": "2031-01-01T00:00:00Z"}, {"url": None}))
    assert (found.items.height, found.observations.height, found.rejects.height) == (1, 2, 1)
    assert found.items.schema == pl.Schema(dict(schemas.ITEM))
    schemas.Items.validate(found.items, lazy=True)
    assert normalise_items(raw({}), as_of=SEVEN - 2 * HOUR).items.is_empty()


# --- invariants ---------------------------------------------------------------------------------

DIRTY = st.fixed_dictionaries(
    {
        "native_id": st.sampled_from(["1", "2", None, " "]),
        "item_type": st.sampled_from(["article", "post", "Video", "weird", None]),
        "source": st.sampled_from(["web", "Forum", None]),
        "url": st.sampled_from(
            ["https://a.example/x", "http://www.a.example/x/", "https://b.example/", "ftp://c/", "\x00", None]
        ),
        "title": st.sampled_from(["a", "b", "<b>&amp;</b>", "\u202e", None]) | st.text(max_size=5),
        "collected_at": st.sampled_from(
            [at(1), at(3), at(6), at(7), at(-30), at(-500), "2026-03-02T06:00:00", "soon", None]
        ),
        "observed_at": st.sampled_from([None, None, at(2), at(5), "soon"]),
        "published_at": st.sampled_from([at(0), "2026-03-02", "x", None]),
        "reactions": st.sampled_from(["1", "5", "-1", "x", None]),
        "evidence": st.sampled_from(["https://e.example/", "zzz", None]),
        "raw_error": st.sampled_from([None, None, None, "unreadable: no JSON"]),
    }
)  # fmt: skip
TEXT = dict.fromkeys(
    (*GOOD, "native_id", "observed_at", "published_at", "reactions", "evidence", "raw_error"), pl.String()
)


@settings(max_examples=25, deadline=None)
@given(st.lists(DIRTY, max_size=14), st.lists(DIRTY, max_size=6), st.randoms(use_true_random=False))
def test_every_row_is_accounted_for_and_order_changes_nothing(
    rows: list[dict[str, Any]], before: list[dict[str, Any]], random: Any
) -> None:
    history = past(pl.LazyFrame(before, schema=TEXT), as_of=SEVEN - 3 * HOUR)
    first = run(pl.LazyFrame(rows, schema=TEXT), context(history))
    random.shuffle(rows)
    half = len(rows) // 2
    split = pl.concat([pl.LazyFrame(part, schema=TEXT) for part in (rows[:half], rows[half:])])
    second = run(split, context(history))
    assert first.frame.equals(second.frame)
    assert all(first.outputs[name].equals(second.outputs[name]) for name in ("items", "observations"))
    assert first.observations is not None
    assert first.observations.equals(second.observations)
    assert first.rejects["raw"].to_list() == second.rejects["raw"].to_list()
    schemas.Items.validate(first.frame, lazy=True)


@settings(max_examples=15, deadline=None)
@given(st.lists(DIRTY, max_size=12))
def test_what_was_normalised_once_is_normal(rows: list[dict[str, Any]]) -> None:
    once = normalise_items(pl.LazyFrame(rows, schema=TEXT)).items
    again = normalise(
        once.select(n for n in RAW_COLUMNS if n in once.columns).lazy(), pseudonymise=False
    ).collect()
    same = ["item_type", "source", "url", "title", "published_at", "collected_at", "reactions", "evidence"]
    assert again.select(same).equals(once.select(same))
