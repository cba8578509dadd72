"""Planted effects of coaching: do the intervals hold them, and what would before and after have said?

``study(companies, seed)`` is part of ``benchmarks/coaching.py``; alone: ``PYTHONPATH=benchmarks python -m
coaching_study.effects [COMPANIES]``.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable

import numpy as np
import pandas as pd

from coaching_study.coached_companies import BASE, DESIGNS, DRAWN, UNSEEN, Design, coached_company, drawn_company
from spm_models.coaching.effects.matched import PLACEBO_LEVEL, estimate
from spm_models.coaching.effects.randomised import analyse
from spm_models.coaching.effects.result import LEVEL
from spm_models.coaching.effects.windows import EASE_IN, QUARTER, stack
from spm_models.errors import NotEnoughDataError


def study(companies: int = 1000, seed: int = 20260101) -> dict[str, float]:
    """Coverage of the intervals and what is said where nobody learns; flat keys, shares and points of win rate.

    ``effect_coverage90``: over all designs in equal parts; ``effect_coverage90_low`` and ``_high``: what chance alone
    allows for this number at 90 %; ``effect_null_share``: of companies where nobody learns, those of which "no effect
    was seen" is said; ``effect_null_helped``: of which "helped" is said; ``naive_null_helped``: the same by a paired
    t-test of before and after. ``effect_unseen_…``: companies that coach whom they believe in, by what no record holds.
    ``naive_before`` and ``naive_after``: win rate of the lowest fifth, and of the same people a quarter later, nobody
    coached.
    """
    table, drawn = matched_table(companies, seed), drawn_table(max(companies // 5, 30), seed)
    unseen = pd.DataFrame([_matched(UNSEEN, seed + number) for number in range(max(companies // 20, 10))])
    found, chance = table[table["measured"]], 1.645 * np.sqrt(0.09 / table["measured"].sum())
    null, before_after = found[found["planted"] == 0], bottom_fifth(max(companies // 20, 10), seed)
    drawn_null = drawn[drawn["planted"] == 0]
    return {
        "effect_companies": float(len(table)), "effect_measured_share": float(table["measured"].mean()),
        "effect_coverage90": float(found["covered"].mean()),
        "effect_coverage90_low": float(0.9 - chance), "effect_coverage90_high": float(0.9 + chance),
        "effect_bias": float((found["effect"] - found["planted"]).mean()),
        "effect_null_share": float(null["says"].eq("no_effect_seen").mean()),
        "effect_null_helped": float(null["says"].eq("helped").mean()),
        "effect_placebo_failed": float(found["placebo_failed"].mean()),
        "effect_unseen_bias": float((unseen["effect"] - unseen["planted"]).mean()),
        "effect_unseen_placebo_failed": float(unseen["placebo_failed"].mean()),
        "effect_drawn_coverage90": float(drawn["covered"].mean()),
        "effect_drawn_null_share": float(drawn_null["says"].eq("no_effect_seen").mean()),
        "naive_rise": float(null["naive"].mean()), "naive_null_helped": float(null["naive_helped"].mean()),
        "naive_coverage90": float(found["naive_covered"].mean()),
        "naive_before": before_after[0], "naive_after": before_after[1],
    }  # fmt: skip


def matched_table(companies: int, seed: int, designs: Iterable[Design] = DESIGNS) -> pd.DataFrame:
    """One row a company: the matched difference, and before and after beside it."""
    chosen = tuple(designs)
    return pd.DataFrame([_matched(chosen[number % len(chosen)], seed + number) for number in range(companies)])


def drawn_table(companies: int, seed: int) -> pd.DataFrame:
    """One row a company that drew its order."""
    rows = []
    for number in range(companies):
        design = DRAWN[number % len(DRAWN)]
        found = analyse(*drawn_company(design, seed + number), ease_in=EASE_IN, seed=seed + number, level=LEVEL)
        rows.append({
            "design": design.name, "planted": design.effect, "effect": found.effect, "width": found.high - found.low,
            "covered": found.low <= design.effect <= found.high, "says": _says(found.low, found.high),
        })  # fmt: skip
    return pd.DataFrame(rows)


def bottom_fifth(companies: int, seed: int) -> tuple[float, float]:
    """Win rate of the lowest fifth of a quarter, then and in the next, with nobody coached.

    Forty reps who hardly differ and close about 31 deals a quarter.
    """
    design, rates = Design("nobody is coached", quarters=2, deals=2.4, ability=0.06), []
    for number in range(companies):
        weekly, _ = coached_company(design, seed + number)
        first, second = (
            BASE + weekly.total("surplus", at, at + QUARTER) / np.maximum(weekly.total("size", at, at + QUARTER), 1)
            for at in (0, QUARTER)
        )
        lowest = np.argsort(first, kind="stable")[: len(first) // 5]
        rates.append((first[lowest].mean(), second[lowest].mean()))
    before, after = np.mean(rates, axis=0)
    return float(before), float(after)


def _matched(design: Design, seed: int) -> dict[str, object]:
    weekly, programmes = coached_company(design, seed)
    rows = stack(weekly, programmes)
    row: dict[str, object] = {"design": design.name, "planted": design.effect}
    try:
        found = estimate(rows)
    except NotEnoughDataError:
        return row | {"measured": False}
    low, high = found.effect.interval(LEVEL)
    failed = False
    if found.placebo is not None:
        ends = found.placebo.interval(PLACEBO_LEVEL)
        failed = ends[0] > 0 or ends[1] < 0
    rise = (rows.y - rows.before)[rows.coached]
    naive = 1.66 * rise.std(ddof=1) / np.sqrt(len(rise)) if len(rise) > 1 else np.inf
    return row | {
        "measured": True, "effect": found.effect.value, "error": found.effect.error, "width": high - low,
        "covered": low <= design.effect <= high, "placebo_failed": failed,
        "says": "placebo_failed" if failed else _says(low, high), "naive": found.naive, "uncoached": found.uncoached,
        "naive_helped": found.naive > naive, "naive_covered": abs(found.naive - design.effect) <= naive,
    }  # fmt: skip


def _says(low: float, high: float) -> str:
    return "helped" if low > 0 else "did_harm" if high < 0 else "no_effect_seen"


def by_design(table: pd.DataFrame) -> pd.DataFrame:
    """Means of the figures, one row a design; ``spread`` is the standard deviation of the estimates."""
    numbers = [name for name in ("planted", "effect", "error", "width", "naive", "uncoached") if name in table]
    shares = [name for name in ("covered", "placebo_failed", "naive_covered") if name in table]
    groups = table.astype(dict.fromkeys(shares, float)).groupby("design", sort=False)
    said = table.assign(seen=table["says"].isin(["helped", "did_harm"])).groupby("design", sort=False)["seen"].mean()
    return groups[numbers + shares].mean().assign(spread=groups["effect"].std(), seen=said, n=groups.size())


def main() -> None:
    companies, start = int(sys.argv[1]) if len(sys.argv) > 1 else 1000, time.perf_counter()
    figures = study(companies)
    print(pd.Series(figures).round(4).to_string())
    print(f"{time.perf_counter() - start:.0f} s")
    table = matched_table(companies, 20260101)
    print(by_design(table[table["measured"]]).round(3).to_string())
    print(by_design(drawn_table(companies // 5, 20260101)).round(3).to_string())


if __name__ == "__main__":
    main()
