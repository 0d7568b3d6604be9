from __future__ import annotations

from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass, replace
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from brandkit import schemas
from brandkit.errors import ContractError, InputError, StageError, UnknownError
from brandkit.pipeline import Checked, History, Pipeline, RunContext, Stage
from brandkit.profile import BrandProfile
from brandkit.telemetry import StageEvent, Telemetry
from tests.frames import AS_OF, DESK, context

RAW = pl.LazyFrame({"n": [3, 1, 2]})


def double(items: pl.LazyFrame, ctx: RunContext) -> pl.LazyFrame:
    return items.with_columns(twice=pl.col("n") * 2)


def label(items: pl.LazyFrame, ctx: RunContext) -> pl.LazyFrame:
    return items.with_columns(label=pl.col("twice").cast(pl.String))


def as_they_are(items: pl.LazyFrame, ctx: RunContext) -> pl.LazyFrame:
    return items


def keep(frame: pl.DataFrame, ctx: RunContext) -> Checked:
    return Checked(frame.sort("n"))


def rejects(n: int) -> pl.DataFrame:
    rows = [{"raw_row": i, "stage": "first", "reasons": ["no_identity"]} for i in range(n)]
    return pl.DataFrame(rows, schema=dict(schemas.REJECT))


DOUBLE = Stage("double", double, takes=("n",), gives=("twice",))
LABEL = Stage("label", label, takes=("twice",), gives=("label",), checkpoint=keep)
COUNTED = Stage("counted", as_they_are, checkpoint=keep)


def run(*stages: Stage, raw: pl.LazyFrame = RAW, ctx: RunContext | None = None) -> pl.DataFrame:
    return Pipeline(stages).run(raw, ctx or context()).frame


def test_stages_run_in_order_and_are_collected_at_the_checkpoint() -> None:
    result = Pipeline((DOUBLE, LABEL)).run(RAW, context())
    assert result.frame.to_dict(as_series=False) == {
        "n": [1, 2, 3],
        "twice": [2, 4, 6],
        "label": ["2", "4", "6"],
    }
    assert result.rejects.is_empty()
    assert dict(result.rejects.schema) == dict(schemas.REJECT)
    assert result.outputs == {}


def test_between_checkpoints_nothing_is_collected() -> None:
    seen: list[type] = []

    def spy(items: pl.LazyFrame, ctx: RunContext) -> pl.LazyFrame:
        seen.append(type(items))
        # A collected frame would be a scan of memory, not this plan.
        assert "FILTER" in items.explain(optimizations=pl.QueryOptFlags.none())
        return items

    run(Stage("spy", spy), COUNTED, raw=RAW.filter(pl.col("n") > 0))
    assert seen == [pl.LazyFrame]


def test_a_bound_pipeline_needs_nothing_more() -> None:
    assert Pipeline((COUNTED,)).bind(RAW, context()).run().frame["n"].to_list() == [1, 2, 3]


def test_rows_and_context_given_to_run_come_before_the_bound_ones() -> None:
    bound = Pipeline((COUNTED,)).bind(RAW, context())
    assert bound.run(pl.LazyFrame({"n": [9]})).frame["n"].to_list() == [9]


@pytest.mark.parametrize("raw", [None, RAW])
def test_an_unbound_pipeline_says_what_is_missing(raw: pl.LazyFrame | None) -> None:
    with pytest.raises(ContractError, match="without rows or context cannot run\n  bind"):
        Pipeline((COUNTED,)).run(raw)


def test_a_task_builds_the_pipeline_it_stands_for() -> None:
    @dataclass
    class Task:
        rows: pl.LazyFrame

        def pipeline(self, profile: BrandProfile) -> Pipeline:
            return Pipeline((COUNTED,)).bind(self.rows, context(profile))

    built = Pipeline.from_task(Task(RAW), DESK)
    assert built.context is not None
    assert built.context.profile is DESK
    assert built.run().frame.height == 3


def test_two_stages_of_one_name_are_refused() -> None:
    with pytest.raises(ContractError, match="two stages of one name in .*double.*double"):
        Pipeline((DOUBLE, DOUBLE))


def test_split_gives_the_stages_up_to_and_with_one_and_the_rest() -> None:
    first, rest = Pipeline((DOUBLE, LABEL, COUNTED)).split("label")
    assert [[stage.name for stage in half.stages] for half in (first, rest)] == [
        ["double", "label"],
        ["counted"],
    ]
    whole = Pipeline((DOUBLE, LABEL, COUNTED)).run(RAW, context()).frame
    half = first.run(RAW, context())
    assert rest.run(half.frame.lazy(), context()).frame.equals(whole)


def test_split_at_a_misspelt_stage_names_the_near_one() -> None:
    with pytest.raises(
        UnknownError, match="unknown stage 'lable', in a pipeline\n.*\n  did you mean 'label'"
    ):
        Pipeline((DOUBLE, LABEL)).split("lable")


def test_a_pipeline_without_a_last_checkpoint_hands_its_rows_on() -> None:
    assert run(DOUBLE)["twice"].sort().to_list() == [2, 4, 6]
    result = Pipeline((COUNTED, DOUBLE)).run(RAW, context())
    assert result.stages.select("name", "rows_in", "rows_out").rows() == [("counted", 3, 3), ("double", 3, 3)]


def test_no_stages_give_no_rows() -> None:
    assert run().is_empty()


# What goes wrong


def test_a_missing_column_is_named_with_those_there_are() -> None:
    with pytest.raises(StageError) as raised:
        run(DOUBLE, replace(LABEL, takes=("twice", "thrice", "n")))
    assert str(raised.value).split("\n") == [
        "stage 'label' needs columns that are not there: thrice, in run desk.daily.2026-03-02.1",
        "  there are: n, twice",
    ]


def test_a_stage_that_does_not_give_what_it_says_is_named() -> None:
    with pytest.raises(StageError, match="stage 'double' did not give: thrice, in run desk"):
        run(replace(DOUBLE, gives=("twice", "thrice")), LABEL)


def test_a_stage_that_raises_names_itself_its_columns_and_the_run() -> None:
    def broken(items: pl.LazyFrame, ctx: RunContext) -> pl.LazyFrame:
        raise ZeroDivisionError("a first line\nand a second")

    with pytest.raises(StageError) as raised:
        run(DOUBLE, Stage("broken", broken, takes=("n",)), LABEL)
    assert str(raised.value).split("\n") == [
        "stage 'broken' failed: ZeroDivisionError: a first line, in run desk.daily.2026-03-02.1",
        "  takes: n; gives: nothing new",
    ]
    assert isinstance(raised.value.__cause__, ZeroDivisionError)
    assert raised.value.exit_code == 1


def test_a_stage_that_raises_without_a_word_is_still_named() -> None:
    def broken(items: pl.LazyFrame, ctx: RunContext) -> pl.LazyFrame:
        raise KeyError

    with pytest.raises(StageError, match="stage 'broken' failed: KeyError: "):
        run(Stage("broken", broken))


def test_a_plan_of_unknown_columns_is_laid_to_the_stage_that_made_it() -> None:
    def wrong(items: pl.LazyFrame, ctx: RunContext) -> pl.LazyFrame:
        return items.select("nowhere")

    with pytest.raises(StageError, match="stage 'wrong' failed: ColumnNotFoundError"):
        run(DOUBLE, Stage("wrong", wrong), LABEL)


def late(items: pl.LazyFrame, ctx: RunContext) -> pl.LazyFrame:
    # Names and types are right; the value fails when it is collected, after the stage returned.
    return items.with_columns(
        at=pl.lit("not a date").repeat_by(1).list.first().str.to_date("%Y", strict=True)
    )


@pytest.mark.parametrize("position", [0, 1, 2])
def test_a_plan_that_fails_only_at_collection_is_laid_to_its_stage(position: int) -> None:
    stages = [DOUBLE, replace(LABEL, checkpoint=None), COUNTED]
    stages.insert(position, Stage("late", late, gives=("at",)))
    with pytest.raises(StageError, match=r"stage 'late' failed: \w+(\n|.)*takes: any; gives: at"):
        run(*stages)


def test_a_failure_after_a_checkpoint_is_laid_to_what_came_after_it() -> None:
    with pytest.raises(StageError, match="stage 'late' failed"):
        run(DOUBLE, LABEL, Stage("late", late), COUNTED)


def test_a_failure_that_no_stage_alone_repeats_is_laid_to_the_last() -> None:
    calls: list[int] = []

    def flaky(values: pl.Series) -> pl.Series:
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("once")
        return values

    def sometimes(items: pl.LazyFrame, ctx: RunContext) -> pl.LazyFrame:
        return items.with_columns(pl.col("n").map_batches(flaky, return_dtype=pl.Int64))

    with pytest.raises(StageError, match="stage 'counted' failed"):
        run(Stage("sometimes", sometimes), COUNTED)


def test_an_error_of_our_own_is_not_wrapped() -> None:
    def refuses(items: pl.LazyFrame, ctx: RunContext) -> pl.LazyFrame:
        raise InputError("not like this")

    with pytest.raises(InputError, match="^not like this$"):
        run(Stage("refuses", refuses))


@pytest.mark.parametrize("cut", [0, 40])
def test_rows_that_cannot_be_read_are_not_laid_to_a_stage(cut: int, tmp_path: Path) -> None:
    path = tmp_path / "items.parquet"
    pl.DataFrame({"n": range(1000)}).write_parquet(path)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(InputError, match="the rows cannot be read: .*, in run desk"):
        run(DOUBLE, LABEL, raw=pl.scan_parquet(path))


def test_rows_that_fail_on_the_way_are_not_laid_to_a_stage() -> None:
    raw = RAW.with_columns(at=pl.col("n").cast(pl.String).str.to_date("%Y-%m-%d", strict=True))
    with pytest.raises(InputError, match="the rows cannot be read: InvalidOperationError"):
        run(DOUBLE, LABEL, COUNTED, raw=raw)


# The sum of rows


def drops_one(items: pl.LazyFrame, ctx: RunContext) -> pl.LazyFrame:
    return items.filter(pl.col("n") != 2)


def doubles(items: pl.LazyFrame, ctx: RunContext) -> pl.LazyFrame:
    return pl.concat([items, items])


@pytest.mark.parametrize(("stage", "out"), [(drops_one, 2), (doubles, 6)])
def test_a_stage_that_loses_or_makes_rows_is_found_at_the_next_checkpoint(
    stage: Callable[[pl.LazyFrame, RunContext], pl.LazyFrame], out: int
) -> None:
    with pytest.raises(ContractError) as raised:
        run(COUNTED, DOUBLE, Stage("odd", stage), LABEL)
    assert str(raised.value) == (
        f"3 rows went in and {out} came out of double, odd, label, "
        "before the checkpoint of 'label', in run desk.daily.2026-03-02.1"
    )


@pytest.mark.parametrize(
    ("checked", "said"),
    [
        (Checked(RAW.collect().head(2)), "3 in + 0 added != 2 out + 0 rejected + 0 folded + 0 set aside"),
        (Checked(RAW.collect(), rejects=rejects(1)), "3 in + 0 added != 3 out + 1 rejected"),
        (
            Checked(RAW.collect(), folded=1, set_aside=2, added=2),
            "3 in + 2 added != 3 out + 0 rejected + 1 folded + 2 set aside",
        ),
    ],
)
def test_a_checkpoint_whose_sum_is_wrong_fails_the_run(checked: Checked, said: str) -> None:
    with pytest.raises(ContractError) as raised:
        run(Stage("first", as_they_are, checkpoint=lambda frame, ctx: checked))
    assert f"rows do not add up: {said}" in raised.value.what
    assert "at the checkpoint of 'first'" in raised.value.where


def test_every_row_a_checkpoint_accounts_for_is_counted() -> None:
    # 3 in + 2 added = 1 out + 1 rejected + 2 folded + 1 set aside.
    checked = Checked(
        RAW.collect().head(1), rejects=rejects(1), added=2, folded=2, set_aside=1,
        outputs={"extra": pl.DataFrame({"x": [1]})},
    )  # fmt: skip
    result = Pipeline((Stage("first", as_they_are, checkpoint=lambda frame, ctx: checked),)).run(
        RAW, context()
    )
    counts = ("rows_in", "rows_added", "rows_out", "rejected", "folded", "set_aside")
    assert result.stages.select(counts).row(0) == (3, 2, 1, 1, 2, 1)
    assert result.rejects["reasons"].to_list() == [["no_identity"]]
    assert result.outputs["extra"]["x"].to_list() == [1]


def test_an_error_at_a_checkpoint_names_the_stage_and_ours_is_not_wrapped() -> None:
    def raises(error: Exception) -> Callable[[pl.DataFrame, RunContext], Checked]:
        def checkpoint(frame: pl.DataFrame, ctx: RunContext) -> Checked:
            raise error

        return checkpoint

    with pytest.raises(StageError, match="stage 'first' failed: ValueError: bad"):
        run(Stage("first", as_they_are, checkpoint=raises(ValueError("bad"))))
    with pytest.raises(ContractError, match="^ours$"):
        run(Stage("first", as_they_are, checkpoint=raises(ContractError("ours"))))


# The context


def test_observations_of_a_checkpoint_reach_the_stages_after_it() -> None:
    sighted = schemas.empty(schemas.OBSERVATION).clear(1)
    given = context()

    def sights(frame: pl.DataFrame, ctx: RunContext) -> Checked:
        assert ctx.observations.is_empty()
        return Checked(frame, observations=sighted)

    def looks(items: pl.LazyFrame, ctx: RunContext) -> pl.LazyFrame:
        return items.with_columns(n_sighted=pl.lit(ctx.observations.height))

    result = Pipeline(
        (Stage("sights", as_they_are, checkpoint=sights), Stage("looks", looks, checkpoint=keep))
    ).run(RAW, given)
    assert result.frame["n_sighted"].to_list() == [1, 1, 1]
    assert result.observations.height == 1
    # A run's context is its own: the caller's is as it was.
    assert given.observations.is_empty()


def test_a_first_run_has_an_empty_history_of_the_right_columns() -> None:
    history = History.empty()
    assert dict(history.items.schema) == dict(schemas.HISTORY_ITEM)
    assert dict(history.verdicts.schema) == dict(schemas.VERDICT)
    assert all(getattr(history, name).is_empty() for name in History.__dataclass_fields__)


def test_a_context_is_frozen_and_its_window_ends_as_of_the_run() -> None:
    ctx = RunContext(profile=DESK, as_of=AS_OF, window_start=AS_OF - timedelta(hours=24))
    assert (ctx.window_end, ctx.run_id, ctx.observations.height) == (AS_OF, "assess", 0)
    with pytest.raises(FrozenInstanceError):
        ctx.run_id = "other"  # type: ignore[misc]


# Telemetry


def test_telemetry_is_told_of_every_stage_as_it_ends() -> None:
    events: list[StageEvent] = []
    ctx = replace(context(), telemetry=Telemetry(hooks=(events.append,)))
    result = Pipeline((DOUBLE, LABEL, replace(DOUBLE, name="again"), COUNTED)).run(RAW, ctx)
    assert [(e.kind, e.name, e.rows_in, e.rows_out) for e in events] == [
        ("stage", "double", None, None),  # nothing is counted before the first checkpoint
        ("stage", "label", 3, 3),
        ("stage", "again", 3, 3),
        ("stage", "counted", 3, 3),
    ]
    assert {e.run_id for e in events} == {"desk.daily.2026-03-02.1"}
    assert result.stages["name"].to_list() == ["double", "label", "again", "counted"]


def test_a_failed_stage_is_told_too() -> None:
    telemetry = Telemetry()
    with pytest.raises(StageError):
        run(DOUBLE, Stage("late", late), COUNTED, ctx=replace(context(), telemetry=telemetry))
    # The plan was collected at the checkpoint, so that is where the run ended.
    assert [(e.name, e.error) for e in telemetry.events] == [
        ("double", None), ("late", None), ("counted", "StageError"),
    ]  # fmt: skip


def test_a_failing_hook_never_fails_the_run() -> None:
    def hook(event: StageEvent) -> None:
        raise OSError("no room")

    telemetry = Telemetry(hooks=(hook,))
    assert run(DOUBLE, LABEL, ctx=replace(context(), telemetry=telemetry)).height == 3
    assert telemetry.hook_failures == 2


# The drawing


def test_describe_draws_the_stages_with_what_each_takes_and_gives() -> None:
    stages = (DOUBLE, Stage("fold", as_they_are, scope="key", key="story_id"), replace(LABEL, scope="global"))
    assert Pipeline(stages).describe() == "\n".join(
        [
            "raw rows",
            "   │",
            "   ▼  double  (row)",
            "   │      takes: n",
            "   │      gives: twice",
            "   │",
            "   ▼  fold  (key story_id)",
            "   │",
            "   ▼  label  (global)",
            "   │      takes: twice",
            "   │      gives: label",
            "   ╞══════ checkpoint: collected, checked, rows counted",
            "   │",
            "   ▼",
            "records",
        ]
    )
