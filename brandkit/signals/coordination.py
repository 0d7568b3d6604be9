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
from brandkit.signals._text import whole_frame

if TYPE_CHECKING:
    from brandkit.pipeline import RunContext

WINDOW_S = 60.0
MIN_OBJECTS = 2
BUCKET_CAP = 200
EVIDENCE_CAP = 50
COORDINATION_COLUMNS = ("is_coordinated", "coordinated_share", "n_coordinated", "coordination")

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
    one instant. Where more than ``bucket_cap`` accounts share one object within one window, each
    is compared with the first ``bucket_cap`` accounts (in order of name) only: every pair given is
    real, some are left out, and ``mass_sharing`` names the place.

    Shape:  account, object, shared_at in; account_a < account_b, n_objects, n_events, median_gap_s,
            symmetry out, one row per pair, sorted. The same share given twice counts once.
    Units:  gaps in seconds; symmetry is the smaller over the larger number of posts, 0..1.
    Nulls:  a share without account, object or time is left out.
    Raises: UsageError for a window, count or cap that is not positive; InputError for other columns.
    """
    events = pair_events(
        shares, window_s=window_s, min_objects=min_objects, min_posts=min_posts, bucket_cap=bucket_cap
    )
    return _fold(events, min_objects=min_objects)


def pair_events(
    shares: pl.LazyFrame | pl.DataFrame,
    *,
    window_s: float = WINDOW_S,
    min_objects: int = MIN_OBJECTS,
    min_posts: int = 1,
    bucket_cap: int = BUCKET_CAP,
) -> pl.LazyFrame:
    """Every meeting of two accounts on one object, before pairs are folded and counted.

    Shape: account_a < account_b, object, at_a, at_b (microseconds since 1970), gap_s.
    """
    _require(window_s=window_s, min_objects=min_objects, min_posts=min_posts, bucket_cap=bucket_cap)
    clean = _clean(shares)
    kept = clean.filter(
        (pl.col("object").n_unique().over("account") >= min_objects) & (pl.len().over("account") >= min_posts)
    )
    events = _meetings(_bucketed(kept, window_s=window_s), window_us=round(window_s * 1e6), cap=bucket_cap)
    return events if min_posts <= 1 else _taking_part(events, clean, min_posts=min_posts)


def mass_sharing(
    shares: pl.LazyFrame | pl.DataFrame,
    *,
    window_s: float = WINDOW_S,
    min_objects: int = MIN_OBJECTS,
    bucket_cap: int = BUCKET_CAP,
) -> pl.LazyFrame:
    """Where more than ``bucket_cap`` accounts shared one object within one window of the clock.

    Shape: object, starts_at, n_accounts, n_shares; sorted. Only accounts active on ``min_objects``
           objects are counted, as in ``coordinated_pairs``.
    """
    _require(window_s=window_s, min_objects=min_objects, bucket_cap=bucket_cap)
    kept = _clean(shares).filter(pl.col("object").n_unique().over("account") >= min_objects)
    starts_at = pl.from_epoch(pl.col("bucket") * round(window_s * 1e6), time_unit="us").dt.replace_time_zone(
        "UTC"
    )
    return (
        _bucketed(kept, window_s=window_s)
        .group_by("object", "bucket")
        .agg(n_accounts=pl.col("account").n_unique().cast(pl.Int64), n_shares=pl.len().cast(pl.Int64))
        .filter(pl.col("n_accounts") > bucket_cap)
        .select("object", "n_accounts", "n_shares", starts_at=starts_at)
        .select("object", "starts_at", "n_accounts", "n_shares")
        .sort("object", "starts_at")
    )


def _require(**least_one: float) -> None:
    for name, value in least_one.items():
        if not value > 0:
            raise UsageError(f"{name} = {value} must be above 0", where="in coordinated_pairs")


def _clean(shares: pl.LazyFrame | pl.DataFrame) -> pl.LazyFrame:
    plan = shares.lazy()
    schema = plan.collect_schema()
    if missing := [name for name in schemas.SHARE if name not in schema]:
        raise InputError(f"shares lack {', '.join(missing)}", allowed=f"columns: {', '.join(schemas.SHARE)}")
    if not isinstance(schema["shared_at"], pl.Datetime):
        raise InputError(
            f"shared_at is {schema['shared_at']}; it must be a date with time",
            hint="unix seconds become one by polars.from_epoch(column)",
        )
    return (
        plan.select(
            pl.col("account").cast(pl.String),
            pl.col("object").cast(pl.String),
            at=pl.col("shared_at").dt.epoch("us"),
        )
        .drop_nulls()
        .unique()
    )


def _bucketed(shares: pl.LazyFrame, *, window_s: float) -> pl.LazyFrame:
    return shares.with_columns(bucket=pl.col("at") // round(window_s * 1e6))


def _meetings(shares: pl.LazyFrame, *, window_us: int, cap: int) -> pl.LazyFrame:
    """Pairs of shares no further apart than the window: the later one lies in this bucket or the next."""
    place = pl.col("account").rank("dense").over("object", "bucket")
    ranked = shares.with_columns(is_anchor=place <= cap)
    later = pl.concat([ranked, ranked.with_columns(pl.col("bucket") - 1)])
    # Beyond the cap an account meets anchors only. Anchors are the first by name in every bucket,
    # so accounts acting together meet the same anchors again on their next object.
    sides = (
        (ranked.filter("is_anchor"), later),
        (ranked.filter(~pl.col("is_anchor")), later.filter("is_anchor")),
    )
    gap = pl.col("at_right") - pl.col("at")
    is_first = (gap > 0) | (pl.col("account") < pl.col("account_right"))
    met = [
        early.join(late, on=["object", "bucket"], how="inner").filter(
            (pl.col("account") != pl.col("account_right")) & gap.is_between(0, window_us) & is_first
        )
        for early, late in sides
    ]
    in_order = pl.col("account") < pl.col("account_right")
    return pl.concat(met).select(
        account_a=pl.when(in_order).then("account").otherwise("account_right"),
        account_b=pl.when(in_order).then("account_right").otherwise("account"),
        object="object",
        at_a=pl.when(in_order).then("at").otherwise("at_right"),
        at_b=pl.when(in_order).then("at_right").otherwise("at"),
        gap_s=gap / 1e6,
    )


def _taking_part(events: pl.LazyFrame, shares: pl.LazyFrame, *, min_posts: int) -> pl.LazyFrame:
    """Events of pairs in which one account has at least ``min_posts`` shares in paired posts."""
    posts = pl.concat([events.select(account=f"account_{s}", at=f"at_{s}") for s in "ab"]).unique()
    busy = (
        shares.join(posts, on=["account", "at"], how="semi")
        .group_by("account")
        .len()
        .filter(pl.col("len") >= min_posts)
    )
    marks = [
        busy.select(f.alias(name), pl.lit(value=True).alias(f"is_busy_{name[-1]}"))
        for name in _PAIR
        for f in [pl.col("account")]
    ]
    for name, mark in zip(_PAIR, marks, strict=True):
        events = events.join(mark, on=name, how="left")
    return events.filter(
        pl.col("is_busy_a").fill_null(value=False) | pl.col("is_busy_b").fill_null(value=False)
    ).drop("is_busy_a", "is_busy_b")


def _fold(events: pl.LazyFrame, *, min_objects: int) -> pl.LazyFrame:
    if min_objects > 1:
        # Nearly all pairs meet once; counting them out first leaves the dear aggregations few groups.
        often = events.group_by(_PAIR).len().filter(pl.col("len") >= min_objects)
        events = events.join(often, on=_PAIR, how="semi")
    posts_a, posts_b = pl.col("at_a").n_unique(), pl.col("at_b").n_unique()
    return (
        events.group_by(_PAIR)
        .agg(
            n_objects=pl.col("object").n_unique().cast(pl.Int64),
            n_events=pl.len().cast(pl.Int64),
            median_gap_s=pl.col("gap_s").median().round(4),
            symmetry=(pl.min_horizontal(posts_a, posts_b) / pl.max_horizontal(posts_a, posts_b)).round(4),
        )
        .filter(pl.col("n_objects") >= min_objects)
        .sort(_PAIR)
    )


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
    events = (
        pair_events(shares, window_s=window_s, min_objects=min_objects).collect(engine="in-memory").lazy()
    )
    pairs = _fold(events, min_objects=min_objects).collect(engine="in-memory").lazy()
    met = events.join(pairs, on=_PAIR, how="semi").collect(engine="in-memory").lazy()
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
