"""What stands behind coordinated pairs: where they met, who hangs together, how much of a spread is theirs.

Facts to look at before anybody is called anything: two accounts of one newsroom, a fan club and a
brigade can all look alike here.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import polars as pl
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from brandkit import schemas
from brandkit.errors import InputError
from brandkit.signals._coordination_facts import pairs_of
from brandkit.signals._coordination_pairs import Rules, find, on_a_line
from brandkit.signals.coordination import BUCKET_CAP, MIN_OBJECTS, WINDOW_S, clean_shares, rules_for

MOST_PAIRS = 1_000
MOST_OBJECTS = 20
EVIDENCE: dict[str, Any] = {
    "account_a": pl.String, "account_b": pl.String, "object": pl.String, "first_at": schemas.INSTANT,
    "last_at": schemas.INSTANT, "n_events": pl.Int64, "median_gap_s": pl.Float64, "n_a_first": pl.Int64,
    "n_pair_shares": pl.Int64, "n_shares": pl.Int64, "spread_share": pl.Float64, "n_objects": pl.Int64,
    "n_common": pl.Int64, "n_objects_left_out": pl.Int64, "n_pairs_left_out": pl.Int64,
}  # fmt: skip
GROUP: dict[str, Any] = {
    "account": pl.String, "group": pl.String, "n_partners": pl.Int64, "n_accounts": pl.Int64,
    "n_pairs": pl.Int64,
}  # fmt: skip
_PAIR = ["account_a", "account_b"]


def coordination_evidence(
    shares: pl.LazyFrame | pl.DataFrame,
    *,
    pairs: pl.LazyFrame | pl.DataFrame | None = None,
    window_s: float = WINDOW_S,
    min_objects: int = MIN_OBJECTS,
    min_posts: int = 1,
    bucket_cap: int = BUCKET_CAP,
    most_pairs: int = MOST_PAIRS,
    most_objects: int = MOST_OBJECTS,
) -> pl.LazyFrame:
    """Where and when each coordinated pair met: one row for each object, strongest pairs first.

    ``pairs`` are those asked about (rows of ``coordinated_pairs``, or two names); without them, all that
    ``coordinated_pairs`` finds with the same settings. Their meetings are looked up among their own
    shares, so a crowd around them hides nothing. At most ``most_pairs`` pairs (by n_objects where that
    is given, then by name) with ``most_objects`` objects each, earliest first, are shown; how many are
    not stands in every row.

    Shape:  account_a < account_b, object, first_at and last_at of their shares that met, n_events,
            median_gap_s, n_a_first (meetings in which account_a was earlier), n_pair_shares of n_shares
            of the object and their ratio spread_share; for the pair n_objects it met on of n_common
            that both shared at any time, n_objects_left_out; n_pairs_left_out of the frame.
    Nulls:  none; a pair asked about that never met has no row.
    Raises: as ``coordinated_pairs``; InputError for pairs without account_a and account_b.
    """
    rules = rules_for(
        window_s=window_s, min_objects=min_objects, min_posts=min_posts, bucket_cap=bucket_cap,
        most_pairs=most_pairs, most_objects=most_objects,
    )  # fmt: skip
    asked = None if pairs is None else _asked(pairs)
    show = partial(_evidence, asked=asked, rules=rules, most_pairs=most_pairs, most_objects=most_objects)
    return clean_shares(shares).map_batches(show, schema=EVIDENCE)


def _asked(pairs: pl.LazyFrame | pl.DataFrame) -> pl.LazyFrame:
    plan = pairs.lazy()
    present = plan.collect_schema().names()
    if missing := [name for name in _PAIR if name not in present]:
        raise InputError(
            f"pairs lack {', '.join(missing)}",
            allowed="columns: account_a, account_b",
            hint="coordinated_pairs(shares) gives them",
        )
    n_objects = pl.col("n_objects") if "n_objects" in present else pl.lit(None)
    named = plan.select(*(pl.col(name).cast(pl.String) for name in _PAIR), n=n_objects.cast(pl.Int64))
    in_order = named.select("n", account_a=pl.min_horizontal(_PAIR), account_b=pl.max_horizontal(_PAIR))
    differ = pl.col("account_a") != pl.col("account_b")
    return in_order.drop_nulls(_PAIR).filter(differ).group_by(_PAIR).agg(pl.col("n").max())


def _evidence(
    clean: pl.DataFrame, *, asked: pl.LazyFrame | None, rules: Rules, most_pairs: int, most_objects: int
) -> pl.DataFrame:
    if asked is None:
        asked = pairs_of(on_a_line(clean), rules)[0].lazy().select(*_PAIR, n="n_objects")
    strongest = asked.sort("n", *_PAIR, descending=[True, False, False], nulls_last=True)
    pairs = strongest.collect(engine="in-memory")
    shown = pairs.select(_PAIR).head(most_pairs).with_row_index("rank")
    own = clean.filter(
        pl.col("account").is_in(pl.concat([shown["account_a"], shown["account_b"]]).unique().implode())
    )
    # The cap is there for crowds; among the shares of those asked about every meeting counts.
    everything = Rules(rules.window_us, 1, 1, max(rules.cap, own.height))
    met = find(on_a_line(own), everything).between(shown).named()
    return (
        _by_object(met)
        .with_columns(n_objects=pl.len().over(_PAIR).cast(pl.Int64))
        .join(shown, on=_PAIR, how="inner")
        .join(_in_common(shown, own), on=_PAIR, how="left")
        .sort("rank", "first_at", "object")
        .filter(pl.int_range(pl.len()).over("rank") < most_objects)
        .pipe(_with_spread, clean, own)
        .with_columns(
            n_objects_left_out=(pl.col("n_objects") - most_objects).clip(lower_bound=0),
            n_pairs_left_out=pl.lit(pairs.height - shown.height, dtype=pl.Int64),
        )
        .sort("rank", "first_at", "object")
        .select(pl.col(name).cast(dtype) for name, dtype in EVIDENCE.items())
    )


def _by_object(met: pl.DataFrame) -> pl.DataFrame:
    first, last = (
        pl.from_epoch(at, time_unit="us").dt.replace_time_zone("UTC")
        for at in (pl.min_horizontal("at_a", "at_b").min(), pl.max_horizontal("at_a", "at_b").max())
    )
    return met.group_by(*_PAIR, "object").agg(
        first_at=first,
        last_at=last,
        n_events=pl.len().cast(pl.Int64),
        median_gap_s=pl.col("gap_s").median().round(4),
        n_a_first=(pl.col("at_a") < pl.col("at_b")).sum().cast(pl.Int64),
    )


def _in_common(pairs: pl.DataFrame, own: pl.DataFrame) -> pl.DataFrame:
    """How many objects both accounts of each pair shared, however far apart."""
    held = own.select("account", "object").unique()
    return (
        pairs.join(held, left_on="account_a", right_on="account")
        .join(held, left_on=["account_b", "object"], right_on=["account", "object"], how="semi")
        .group_by(_PAIR)
        .agg(n_common=pl.len().cast(pl.Int64))
    )


def _with_spread(things: pl.DataFrame, clean: pl.DataFrame, own: pl.DataFrame) -> pl.DataFrame:
    n_all = clean.join(things, on="object", how="semi").group_by("object").agg(n_shares=pl.len())
    n_own = own.join(things, on="object", how="semi").group_by("account", "object").agg(n=pl.len())
    for side in "ab":
        counted = n_own.rename({"account": f"account_{side}", "n": f"n_{side}"})
        things = things.join(counted, on=[f"account_{side}", "object"], how="left")
    n_pair = pl.col("n_a") + pl.col("n_b")
    return things.join(n_all, on="object", how="left").with_columns(
        n_pair_shares=n_pair, spread_share=(n_pair / pl.col("n_shares")).round(4)
    )


def coordinated_groups(pairs: pl.LazyFrame | pl.DataFrame) -> pl.LazyFrame:
    """Accounts that hang together by pairs: one row an account, largest group first.

    A group is whoever can be reached from pair to pair, so one pair that met by chance joins two
    groups: keep ``pairs.filter(pl.col("n_by_chance") < 1)``, or ask for more objects, where a frame is
    large.

    Shape:  account_a, account_b in; account, group (the name of its first account), n_partners of the
            account, n_accounts and n_pairs of the group out.
    Raises: InputError for pairs without account_a and account_b.
    """
    return _asked(pairs).map_batches(_groups, schema=GROUP)


def _groups(pairs: pl.DataFrame) -> pl.DataFrame:
    ends = pl.concat([pairs["account_a"], pairs["account_b"]])
    names = ends.unique().sort()
    place = ends.cast(pl.Enum(names)).to_physical().to_numpy().astype(np.int64)
    edges = (np.ones(pairs.height), (place[: pairs.height], place[pairs.height :]))
    graph = coo_array(edges, shape=(len(names), len(names))).tocsr()
    member = connected_components(graph, directed=False)[1] if len(names) else place
    frame = pl.DataFrame({"account": names, "member": member.astype(np.int64)})
    return (
        frame.with_columns(n_partners=pl.Series(np.bincount(place, minlength=len(names)), dtype=pl.Int64))
        .with_columns(
            group=pl.col("account").min().over("member"),
            n_accounts=pl.len().over("member").cast(pl.Int64),
            n_pairs=pl.col("n_partners").sum().over("member") // 2,
        )
        .sort("n_accounts", "group", "account", descending=[True, False, False])
        .select(*GROUP)
    )


def group_spread(shares: pl.LazyFrame | pl.DataFrame, groups: pl.LazyFrame | pl.DataFrame) -> pl.LazyFrame:
    """How much of each object's spread is one group's: one row for each object two of its accounts shared.

    Shape:  shares, and the account and group of ``coordinated_groups`` in; group, object, n_accounts of
            the group, n_group_shares of n_shares, spread_share, first_at and last_at of the group's
            shares out; most accounts first within a group.
    Units:  spread_share 0..1.
    Raises: InputError for other columns.
    """
    members = groups.lazy()
    if missing := [name for name in ("account", "group") if name not in members.collect_schema()]:
        raise InputError(f"groups lack {', '.join(missing)}", hint="coordinated_groups(pairs) gives them")
    clean = clean_shares(shares)
    pushed = (
        clean.join(members.select("account", "group").unique(), on="account")
        .group_by("group", "object")
        .agg(
            n_accounts=pl.col("account").n_unique().cast(pl.Int64),
            n_group_shares=pl.len().cast(pl.Int64),
            first=pl.col("at").min(),
            last=pl.col("at").max(),
        )
        .filter(pl.col("n_accounts") > 1)
    )
    n_all = clean.group_by("object").agg(n_shares=pl.len().cast(pl.Int64))
    first, last = (pl.from_epoch(at, time_unit="us").dt.replace_time_zone("UTC") for at in ("first", "last"))
    return (
        pushed.join(n_all, on="object")
        .select(
            "group",
            "object",
            "n_accounts",
            "n_group_shares",
            "n_shares",
            spread_share=(pl.col("n_group_shares") / pl.col("n_shares")).round(4),
            first_at=first,
            last_at=last,
        )
        .sort("group", "n_accounts", "first_at", "object", descending=[False, True, False, False])
    )
