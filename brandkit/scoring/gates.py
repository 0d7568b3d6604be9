"""Gates: named conditions with margins, and the decision that their margins make.

The decision is a function of the margins alone, so "why not must-cover" is arithmetic on what a
record stores. A number gate's margin is points above (or below, negative) its threshold; a yes/no
gate's is 0 or -1.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from brandkit.pipeline import RunContext
from brandkit.profile import BrandProfile
from brandkit.schemas import DECISION, GATES, REASON, Decision
from brandkit.scoring.components import names_in
from brandkit.scoring.modifiers import MODIFIERS

TAKES = (
    "parts", "base", "scores", "total", "modifiers", "excluded", "forbidden", "entities_in_title",
    "triggers_in_title", "best_tier",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Gate:
    """A named threshold on any column, as expressions: ``Gate("quality", "total", at_least=50)``.

    Nulls: a missing value does not pass, and its margin is null.

    >>> frame = pl.DataFrame({"total": [49, 50, None]})
    >>> frame.select(Gate("quality", "total", at_least=50).passes())["quality"].to_list()
    [False, True, False]
    """

    name: str
    column: str | pl.Expr
    at_least: int

    def passes(self) -> pl.Expr:
        """True where the column reaches the threshold."""
        return (self._value() >= self.at_least).fill_null(value=False).alias(self.name)

    def margin(self) -> pl.Expr:
        """How far above the threshold the column stands; negative is what is missing."""
        return (self._value().cast(pl.Int32) - self.at_least).cast(pl.Int16).alias(self.name)

    def _value(self) -> pl.Expr:
        return pl.col(self.column) if isinstance(self.column, str) else self.column


def gate(items: pl.LazyFrame, ctx: RunContext) -> pl.LazyFrame:
    """Add ``gates``: the margin of every gate of every rung.

    Shape:  the same rows, plus one struct of Int16.
    """
    margins = gate_margins(ctx.profile)
    return items.with_columns(gates=pl.struct(margins[name].alias(name) for name in GATES))


def decide(items: pl.LazyFrame, ctx: RunContext) -> pl.LazyFrame:
    """Add ``decision`` and ``reason``: the highest rung whose gates all pass, and the rule that spoke.

    Shape:  the same rows, plus two Enums.
    """
    decision, reason = decision_of(pl.col("gates"))
    return items.with_columns(decision=decision, reason=reason)


def gate_margins(profile: BrandProfile) -> dict[str, pl.Expr]:
    """The catalogue: the margin of each gate, by name, as Int16 expressions."""
    t = profile.thresholds
    confidence = pl.col("scores").struct.field("confidence")
    ties = pl.col("parts").struct.field("relevance")
    tie_points = ties.struct.field("entities") + ties.struct.field("pillars")
    not_excluded = ~pl.col("excluded")
    trigger = pl.col("triggers_in_title").list.len() > 0
    tied = Gate("tied", tie_points, t.tied).margin()
    return {
        "constraint": _yes(pl.col("forbidden").list.len() == 0),
        "verified": Gate("verified", confidence, t.verified).margin(),
        "not_excluded": _yes(not_excluded),
        # Excluded items are not tied, whatever their points were before they were taken back.
        "tied": pl.when(not_excluded).then(tied).otherwise(pl.min_horizontal(tied, pl.lit(-1, pl.Int16))),
        "confidence": Gate("confidence", confidence, t.confidence).margin(),
        "must_cover": Gate("must_cover", "total", t.must_cover).margin(),
        "always_cover": _yes(trigger),
        "optional": Gate("optional", "total", t.optional).margin(),
        "own_name_floor": _yes(_own_name_floor(profile)),
        "watch": Gate("watch", "total", t.watch).margin(),
        "trigger_watch": _yes(trigger & not_excluded & (tie_points >= t.tied)),
        "own_name_watch": _yes(_own_name_watch(profile)),
    }


def _yes(condition: pl.Expr) -> pl.Expr:
    return condition.fill_null(value=False).cast(pl.Int16) - pl.lit(1, pl.Int16)


def _own_name_floor(profile: BrandProfile) -> pl.Expr:
    if profile.thresholds.own_name_floor != "optional":
        return pl.lit(value=False)
    return names_in("entities_in_title", profile.own) & (pl.col("best_tier") == "A")


def _own_name_watch(profile: BrandProfile) -> pl.Expr:
    if profile.thresholds.own_name_floor == "off":
        return pl.lit(value=False)
    adverse = [modifier.name for modifier in MODIFIERS if modifier.is_adverse]
    # Only abuse keeps a story in sight: a lost publisher, which makes a single source, must not lift it.
    struck = pl.col("modifiers").list.eval(pl.element().struct.field("name").is_in(adverse)).list.any()
    loud = pl.col("base").struct.field("virality") >= profile.thresholds.watch_virality
    return names_in("entities_in_title", profile.own) & (
        pl.col("best_tier").is_in(["A", "B"]) | loud | struck.fill_null(value=False)
    )


def decision_of(gates: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """The decision and its reason, from the struct of margins alone."""
    margin = {name: gates.struct.field(name) for name in GATES}
    ok = {name: value >= 0 for name, value in margin.items()}
    lifted_must = ok["must_cover"] | ok["always_cover"]
    lifted_optional = ok["optional"] | ok["own_name_floor"]
    sound = ok["tied"] & ok["confidence"]
    must, optional = sound & lifted_must, sound & lifted_optional
    watch = ok["not_excluded"] & (ok["watch"] | ok["trigger_watch"] | ok["own_name_watch"])
    wanted = must | optional | watch
    unverified = wanted & ~ok["verified"]
    high = lifted_must | lifted_optional
    decision = (
        pl.when(~ok["constraint"] | unverified)
        .then(_decision(Decision.BLOCK))
        .when(must)
        .then(_decision(Decision.MUST_COVER))
        .when(optional)
        .then(_decision(Decision.OPTIONAL))
        .when(watch)
        .then(_decision(Decision.WATCH))
        .otherwise(_decision(Decision.DROP))
    )
    spoken = {
        "constraint": ~ok["constraint"],
        "unverified": unverified,
        "score": (must & ok["must_cover"]) | (~must & optional & ok["optional"]),
        "always_cover": must,
        "own_name": optional,
        "not_tied": (watch & high & ~ok["tied"]) | (~wanted & ok["not_excluded"] & ~ok["tied"]),
        "held_by_confidence": watch & high,
        "excluded": ~wanted & ~ok["not_excluded"],
        "low_score": ~wanted,
    }
    ruled = pl.coalesce(pl.when(rule).then(pl.lit(code, REASON)) for code, rule in spoken.items())
    # What is left is watched without having been close to promotion: by its total, a trigger, or our name.
    lesser = pl.when(ok["watch"]).then(pl.lit("score", REASON)).when(ok["trigger_watch"])
    quiet = lesser.then(pl.lit("always_cover", REASON)).otherwise(pl.lit("own_name", REASON))
    return decision, pl.coalesce(ruled, quiet)


def _decision(decision: Decision) -> pl.Expr:
    return pl.lit(decision.value, DECISION)
