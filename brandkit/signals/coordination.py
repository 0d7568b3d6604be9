"""Accounts that share the same things within seconds of each other, again and again.

It labels shares and reports their proportion; it accuses nobody. Pairs are found by an exact join
on time buckets, so that work grows with the pairs there are and not with the square of the shares.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import polars as pl

from brandkit import schemas
from brandkit.errors import InputError, UsageError
from brandkit.signals._coordination_facts import pairs_of
from brandkit.signals._coordination_pairs import Rules, find, on_a_line
from brandkit.signals._text import whole_frame

if TYPE_CHECKING:
    from brandkit.pipeline import RunContext

WINDOW_S = 60.0
MIN_OBJECTS = 2
BUCKET_CAP = 200
EVIDENCE_CAP = 50
COORDINATION_COLUMNS = ("is_coordinated", "coordinated_share", "n_coordinated", "coordination")

# Two waves of mass sharing of one object with an hour of quiet between them are two facts.
QUIET_S = 3600.0
PAIR: dict[str, Any] = {
    "account_a": pl.String, "account_b": pl.String, "n_objects": pl.Int64, "n_events": pl.Int64,
    "median_gap_s": pl.Float64, "symmetry": pl.Float64, "gap_spread_s": pl.Float64,
    "spread_share": pl.Float64, "expected_events": pl.Float64, "n_by_chance": pl.Float64,
}  # fmt: skip
EVENT: dict[str, Any] = {
    "account_a": pl.String, "account_b": pl.String, "object": pl.String,
    "at_a": pl.Int64, "at_b": pl.Int64, "gap_s": pl.Float64,
}  # fmt: skip
MASS: dict[str, Any] = {
    "object": pl.String, "starts_at": schemas.INSTANT, "n_accounts": pl.Int64, "n_shares": pl.Int64,
    "ends_at": schemas.INSTANT, "spread_share": pl.Float64, "busiest_at": schemas.INSTANT,
    "n_busiest": pl.Int64,
}  # fmt: skip

_PAIR = ("account_a", "account_b")
_OPTIONAL = {
    "account": pl.String,
    "target_url": pl.String,
    "copy_of": pl.String,
    "role": pl.String,
    "tier": pl.String,
    "publisher": pl.String,
    "item_type": pl.String,
    "published_at": schemas.INSTANT,
}


def coordinated_pairs(
    shares: pl.LazyFrame | pl.DataFrame,
    *,
    window_s: float = WINDOW_S,
    min_objects: int = MIN_OBJECTS,
    min_posts: int = 1,
    bucket_cap: int = BUCKET_CAP,
) -> pl.LazyFrame:
    """Pairs of accounts that shared the same object within ``window_s``, on enough objects.

    ``min_posts`` keeps accounts with at least that many shares, and pairs of which one account has
    at least that many shares in posts that were paired at all; a post is what an account shares at
    one instant. Where one object has more than ``bucket_cap`` shares within one window of the clock,
    each is compared with ``bucket_cap`` of them only: every pair given is real, some are left out,
    and ``mass_sharing`` names the place.

    Two busy accounts meet by chance. ``expected_events`` is how often: the shares of both multiplied
    by the rate at which two shares of *other* accounts meet, r * n_a * n_b, with
    r = 2 (M + 1) / (N^2 - sum of n_i^2) over the others' meetings M and shares n_i, together N. How
    popular objects are and how close together their shares come is in M; that two accounts like the
    same things is not. ``n_by_chance`` is how many pairs would meet on as many objects if every two
    accounts were as busy as these: the number of possible pairs times the Poisson chance of
    n_objects or more. Under 1 a pair is more than chance gives; but in a frame that is mostly one ring,
    the ring is its own background.

    Shape:  account, object, shared_at in; account_a < account_b, n_objects, n_events, median_gap_s,
            symmetry, gap_spread_s, spread_share, expected_events, n_by_chance out, one row per pair,
            sorted. The same share given twice counts once.
    Units:  gaps in seconds, their spread from the lower to the upper quartile; symmetry is the smaller
            over the larger number of posts, 0..1; spread_share is what the two shared of all shares
            of the objects they met on, 0..1.
    Nulls:  a share without account, object or time is left out. expected_events and n_by_chance are
            null where no two other accounts are there to compare with.
    Raises: UsageError for a window, count or cap that is not positive; InputError for other columns.
    """
    rules = rules_for(window_s=window_s, min_objects=min_objects, min_posts=min_posts, bucket_cap=bucket_cap)
    return _complete(shares).map_batches(partial(_pairs, rules=rules), schema=PAIR)


def pair_events(
    shares: pl.LazyFrame | pl.DataFrame,
    *,
    window_s: float = WINDOW_S,
    min_objects: int = MIN_OBJECTS,
    min_posts: int = 1,
    bucket_cap: int = BUCKET_CAP,
) -> pl.LazyFrame:
    """Every meeting of two accounts on one object, before pairs are folded and counted.

    Shape: account_a < account_b, object, at_a, at_b (microseconds since 1970), gap_s; sorted.
    """
    rules = rules_for(window_s=window_s, min_objects=min_objects, min_posts=min_posts, bucket_cap=bucket_cap)
    return _complete(shares).map_batches(partial(_events, rules=rules), schema=EVENT)


def mass_sharing(
    shares: pl.LazyFrame | pl.DataFrame,
    *,
    window_s: float = WINDOW_S,
    min_objects: int = 1,
    bucket_cap: int = BUCKET_CAP,
) -> pl.LazyFrame:
    """One object shared more than ``bucket_cap`` times within one window of the clock: one row a wave.

    Such windows less than ``QUIET_S`` apart are one wave, so that a viral object is one fact however
    it flickers. With ``min_objects`` and the rest as in ``coordinated_pairs``, where only accounts
    active on so many objects count, the waves are where that function left pairs out.

    Shape: object, starts_at, n_accounts, n_shares (of the wave, from its start up to its end), ends_at,
           spread_share (the wave's part of all shares of the object), busiest_at and n_busiest (the
           window with most shares, and how many); sorted.
    Raises: as ``coordinated_pairs``.
    """
    _require(window_s=window_s, min_objects=min_objects, bucket_cap=bucket_cap)
    find_waves = partial(_waves, width=max(round(window_s * 1e6), 1), min_objects=min_objects, cap=bucket_cap)
    return clean_shares(shares).map_batches(find_waves, schema=MASS)


def _waves(clean: pl.DataFrame, *, width: int, min_objects: int, cap: int) -> pl.DataFrame:
    n_objects = pl.col("object").n_unique().over("account")
    kept = clean.filter(n_objects >= min_objects) if min_objects > 1 else clean
    after = pl.col("bucket") - pl.col("bucket").shift(1).over("object") - 1
    waves = (
        kept.group_by("object", bucket=pl.col("at") // width)
        .agg(n_busiest=pl.len().cast(pl.Int64))
        .filter(pl.col("n_busiest") > cap)
        .sort("object", "bucket")
        .with_columns(wave=(after * width >= QUIET_S * 1e6).fill_null(value=True).cum_sum())
        .group_by("wave")
        .agg(
            pl.col("object", "n_busiest").sort_by("n_busiest", "bucket", descending=[True, False]).first(),
            starts=pl.col("bucket").min() * width,
            ends=(pl.col("bucket").max() + 1) * width,
            busiest=pl.col("bucket").sort_by("n_busiest", "bucket", descending=[True, False]).first() * width,
        )
    )
    within = pl.col("at").is_between("starts", "ends", closed="left")
    all_shares = clean.join(waves, on="object", how="semi").group_by("object").len("n_all")
    counts = (
        kept.join(waves.select("wave", "object", "starts", "ends"), on="object")
        .filter(within)
        .group_by("wave")
        .agg(n_accounts=pl.col("account").n_unique().cast(pl.Int64), n_shares=pl.len().cast(pl.Int64))
    )
    return (
        waves.join(counts, on="wave")
        .join(all_shares, on="object")
        .with_columns(
            pl.from_epoch(name, time_unit="us").dt.replace_time_zone("UTC").alias(f"{name}_at")
            for name in ("starts", "ends", "busiest")
        )
        .with_columns(spread_share=(pl.col("n_shares") / pl.col("n_all")).round(4))
        .select(*MASS)
        .sort("object", "starts_at")
    )


def _require(**least_one: float) -> None:
    for name, value in least_one.items():
        if not value > 0:
            raise UsageError(f"{name} = {value} must be above 0", where="in coordinated_pairs")


def rules_for(
    *, window_s: float, min_objects: int, min_posts: int = 1, bucket_cap: int = BUCKET_CAP, **caps: float
) -> Rules:
    """The settings of ``coordinated_pairs``, checked; so are other caps."""
    _require(window_s=window_s, min_objects=min_objects, min_posts=min_posts, bucket_cap=bucket_cap, **caps)
    # An instant has no step under a microsecond.
    return Rules(max(round(window_s * 1e6), 1), min_objects, min_posts, bucket_cap)


def clean_shares(shares: pl.LazyFrame | pl.DataFrame) -> pl.LazyFrame:
    """Shares as account, object and at (microseconds since 1970), without nulls and repeats."""
    return _complete(shares).unique()


def _complete(shares: pl.LazyFrame | pl.DataFrame) -> pl.LazyFrame:
    plan = shares.lazy()
    schema = plan.collect_schema()
    if missing := [name for name in schemas.SHARE if name not in schema]:
        raise InputError(f"shares lack {', '.join(missing)}", allowed=f"columns: {', '.join(schemas.SHARE)}")
    if not isinstance(schema["shared_at"], pl.Datetime):
        raise InputError(
            f"shared_at is {schema['shared_at']}; it must be a date with time",
            hint="unix seconds become one by polars.from_epoch(column)",
        )
    return plan.select(
        pl.col("account").cast(pl.String),
        pl.col("object").cast(pl.String),
        at=pl.col("shared_at").dt.epoch("us"),
    ).drop_nulls()


def _pairs(clean: pl.DataFrame, *, rules: Rules) -> pl.DataFrame:
    return pairs_of(on_a_line(clean), rules)[0].select(*PAIR)


def _events(clean: pl.DataFrame, *, rules: Rules) -> pl.DataFrame:
    return find(on_a_line(clean), rules).named()


def shares_of(items: pl.LazyFrame) -> pl.LazyFrame:
    """The shares that items are: who shared what, when; what a later run gets as history.

    One item is one share of one object, so that a link with its prefilled text is one act: the link
    it points to, else the text it repeats. The accounts of one listed newsroom are one actor.

    Shape: item_id, story_id, account, object, shared_at; items that share nothing are left out.
    Nulls: an undated item is no share: the hour we found it says nothing of when it was posted.
    """
    return _acts(items).filter(
        pl.col("account").is_not_null() & pl.col("object").is_not_null() & pl.col("shared_at").is_not_null()
    )


def _acts(items: pl.LazyFrame) -> pl.LazyFrame:
    present = items.collect_schema().names()
    absent: dict[str, Any] = {name: dtype for name, dtype in _OPTIONAL.items() if name not in present}
    filled = items.with_columns(pl.lit(None, dtype=dtype).alias(name) for name, dtype in absent.items())
    originals = (
        filled.select(copy_of="copy_of").drop_nulls().unique().with_columns(_is_copied=pl.lit(value=True))
    )
    text = pl.coalesce("copy_of", pl.when(pl.col("_is_copied")).then("item_id"))
    is_newsroom = (pl.col("item_type").cast(pl.String) == "post") & (
        pl.col("tier").cast(pl.String) != "unlisted"
    )
    # The brand's own accounts push its own news together; that is their work.
    is_own = (pl.col("role") == "own").fill_null(value=False)
    actor = pl.when(is_newsroom & pl.col("publisher").is_not_null()).then("publisher").otherwise("account")
    return filled.join(originals, left_on="item_id", right_on="copy_of", how="left").select(
        "item_id",
        "story_id",
        is_post=pl.col("account").is_not_null(),
        account=pl.when(~is_own & pl.col("account").is_not_null()).then(actor),
        object=pl.coalesce(pl.format("url:{}", "target_url"), pl.format("text:{}", text)),
        shared_at="published_at",
    )


def measure_coordination(
    items: pl.LazyFrame,
    *,
    history: pl.DataFrame | None = None,
    window_s: float = WINDOW_S,
    min_objects: int = MIN_OBJECTS,
) -> pl.LazyFrame:
    """Items with what is known of coordinated sharing in their story.

    Shape:  the same rows in the same order, plus is_coordinated (the account is in a coordinated
            pair, wherever), and for the story: coordinated_share (of its posts with an account, those
            sharing an object that brought the pair together), n_coordinated accounts, and the pairs,
            most objects first, at most 50. Needs item_id and story_id.
    Nulls:  never; a story without posts has a share of 0.
    """
    given = items.collect_schema().names()
    kept = items.drop([name for name in COORDINATION_COLUMNS if name in given])
    past = schemas.empty(schemas.SHARE) if history is None else history
    measure = partial(_measured, history=past, window_s=window_s, min_objects=min_objects)
    # One node in the caller's plan: the joins below would repeat everything that leads up to them.
    return whole_frame(kept, measure, {name: schemas.SIGNAL[name] for name in COORDINATION_COLUMNS})


def _measured(
    items: pl.DataFrame, *, history: pl.DataFrame, window_s: float, min_objects: int
) -> pl.DataFrame:
    acts = _acts(items.lazy()).collect(engine="in-memory").lazy()
    shares = pl.concat(
        frame.select(pl.col(name).cast(dtype) for name, dtype in schemas.SHARE.items())
        for frame in (acts, history.lazy())
    )
    clean = clean_shares(shares).collect(engine="in-memory")
    found, meetings = pairs_of(on_a_line(clean), rules_for(window_s=window_s, min_objects=min_objects))
    pairs = found.select(*PAIR).lazy()
    met = meetings.named().lazy()
    accounts = pl.concat([pairs.select(account=name) for name in _PAIR]).unique()
    acted = pl.concat([met.select("object", account=name) for name in _PAIR]).unique()
    labelled = (
        acts.join(accounts.with_columns(_in_pair=pl.lit(value=True)), on="account", how="left")
        .join(acted.with_columns(_acted=pl.lit(value=True)), on=["account", "object"], how="left")
        .collect(engine="in-memory")
        .lazy()
    )
    stories = _story_shares(labelled).join(_evidence(labelled, met, pairs), on="story_id", how="left")
    marks = labelled.select("item_id", is_coordinated=pl.col("_in_pair").fill_null(value=False))
    return (
        items.lazy()
        .join(marks, on="item_id", how="left", maintain_order="left")
        .join(stories, on="story_id", how="left", maintain_order="left")
        .with_columns(
            pl.col("is_coordinated").fill_null(value=False),
            pl.col("coordinated_share").fill_null(0.0),
            pl.col("n_coordinated").fill_null(0),
            pl.coalesce("coordination", pl.lit([], dtype=schemas.COORDINATION)).alias("coordination"),
        )
        .select(*items.columns, *COORDINATION_COLUMNS)
        .collect(engine="in-memory")
    )


def _story_shares(labelled: pl.LazyFrame) -> pl.LazyFrame:
    acted = pl.col("_acted").fill_null(value=False)
    return labelled.group_by("story_id").agg(
        coordinated_share=(acted.sum() / pl.max_horizontal(pl.col("is_post").sum(), pl.lit(1))).round(4),
        n_coordinated=pl.col("account").filter(acted).n_unique().cast(pl.Int64),
    )


def _evidence(labelled: pl.LazyFrame, events: pl.LazyFrame, pairs: pl.LazyFrame) -> pl.LazyFrame:
    """The pairs that met on an object of each story, as its evidence."""
    met = events.select(*_PAIR, "object").unique()
    in_story = labelled.filter(pl.col("_acted")).select("story_id", "account", "object").unique()
    found = in_story.join(
        met, left_on=["account", "object"], right_on=["account_a", "object"], how="inner"
    ).select("story_id", "account_b", account_a="account")
    best_first = ["story_id", "n_objects", "account_a", "account_b"]
    return (
        found.unique()
        .join(pairs, on=_PAIR, how="inner")
        .sort(best_first, descending=[False, True, False, False])
        .group_by("story_id", maintain_order=True)
        .agg(coordination=pl.struct("account_a", "account_b", "n_objects", "median_gap_s").head(EVIDENCE_CAP))
    )


def coordination(items: pl.LazyFrame, ctx: RunContext) -> pl.LazyFrame:
    """Label the shares of accounts that act together, and say how much of each story they are.

    Shape:  the same rows, plus is_coordinated, coordinated_share, n_coordinated, coordination.
    Nulls:  an undated item or one without an account is labelled by nothing, but counts as a post
            of its story if it has an account.
    """
    return measure_coordination(items, history=ctx.history.shares)
