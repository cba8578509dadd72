"""Suggestions beside what is true: wrong ones, found ones, and what threshold rules and ranks would have said."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pandas as pd
from scipy import stats

from coaching_study.worlds import WORLDS, World, company, quiet_company, weekly_looks
from spm_models.coaching import CoachingFindings, CoachingReview, Evidence, ThresholdRules, Truth
from spm_models.coaching.signals import RESULTS

Flags = set[tuple[str, str, str]]
MAIN = ("40 reps, 4 quarters", "40 reps, 4 quarters, context partly seen")


def suggestions(findings: CoachingFindings) -> Flags:
    """Rep, signal and part of every coaching suggestion."""
    table = findings.table[findings.table["verdict"] == "coaching_suggestion"]
    return set(zip(table["rep_id"], table["signal"], table["part"], strict=True))


def review(evidence: Evidence) -> CoachingFindings:
    """The review as it is run."""
    return CoachingReview().fit(evidence).predict(evidence)


def one_company(world: World, seed: int) -> dict[str, float | str]:
    """What the review, the rules and ranking by win rate say of one company, at the review's number of flags."""
    evidence, truth = company(world, seed)
    findings = review(evidence)
    flags, short = suggestions(findings), truth.short()
    known = {(s, p) for s, p in findings.table[["signal", "part"]].itertuples(index=False) if s not in RESULTS}
    short = {pair for pair in short if pair[1:] in known}
    reps, right = {rep for rep, *_ in flags}, {rep for rep, *_ in flags & short}
    planted = set(truth.planted)
    row: dict[str, float | str] = {
        "world": world.name, "flags": len(flags), "wrong": len(flags - short), "true": len(short),
        "reps": len(reps), "wrong_reps": len(reps - right), "planted": len(planted),
        "planted_found": len(planted & right),
        "poor_territory": int((truth.cause == "territory").sum()),
        "poor_territory_flagged": len(reps & set(truth.cause[truth.cause == "territory"].index) - right),
        "coasting": int((truth.cause == "coasting").sum()),
        "coasting_found": len(right & set(truth.cause[truth.cause == "coasting"].index)),
    }  # fmt: skip
    for name, ranked in (("rules", _by_rules(evidence)), ("win_rate_rank", _by_win_rate(evidence))):
        said, wrong, found = _at_equal_number(ranked, truth, short, len(flags))
        row |= {f"{name}_flags": said, f"{name}_wrong": wrong, f"{name}_found": found}
    return row


def _by_rules(evidence: Evidence) -> pd.DataFrame:
    """What the rules flag, the furthest off first, one row a rep and thing meant (two rules speak of the win rate)."""
    said = ThresholdRules().flags(evidence)
    said = said[said["flagged"]].sort_values(["beside", "rep_id", "rule"], kind="stable")
    return said.drop_duplicates(["rep_id", "signal"])[["rep_id", "signal"]]


def _by_win_rate(evidence: Evidence) -> pd.DataFrame:
    rates = evidence.deals.groupby("rep_id")["won"].mean().sort_values(kind="stable")
    return pd.DataFrame({"rep_id": rates.index, "signal": "win_rate"})


def _at_equal_number(ranked: pd.DataFrame, truth: Truth, short: Flags, number: int) -> tuple[int, int, int]:
    """Flags, wrong ones, and true pairs found among the first ``number``.

    A missed target or thin coverage is right if what the rep's behaviour brings is short by the margin; it finds the
    behaviour behind it, if there is one to find: the shortest.
    """
    chosen = ranked.head(number)
    brings = truth.results / truth.results.mean()
    beside = truth.relative / truth.relative.mean()
    wrong, found = 0, set()
    for rep, signal in chosen.itertuples(index=False):
        if signal in RESULTS:
            if brings.loc[rep, signal] >= 0.85:
                wrong += 1
                continue
            worst = str(rep), *map(str, beside.loc[rep].idxmin())
            found |= {worst} & short
        elif (pair := (rep, signal, "")) in short:
            found.add(pair)
        else:
            wrong += 1
    return len(chosen), wrong, len(found)


def quiet(seed: int) -> bool:
    """Whether a look at a company in which nobody differs yields any suggestion."""
    return bool(suggestions(review(quiet_company(seed))))


def quiet_year(seed: int) -> tuple[int, int]:
    """Weeks of a year in which such a company has a suggestion, and suggestions that were new."""
    noisy, new, before = 0, 0, set()
    for evidence in weekly_looks(seed):
        flags = suggestions(review(evidence))
        noisy, new, before = noisy + bool(flags), new + len(flags - before), flags
    return noisy, new


def study(quick: bool, workers: int = 2) -> tuple[pd.DataFrame, dict[str, float]]:
    """All worlds; a table by world, and the figures of the benchmark."""
    jobs = [(world, seed) for world in WORLDS for seed in range(_number(world, quick))]
    with ProcessPoolExecutor(workers) as pool:
        rows = pd.DataFrame(pool.map(one_company, *zip(*jobs, strict=True), chunksize=2))
        silent = list(pool.map(quiet, range(60 if quick else 420), chunksize=10))
        years = list(pool.map(quiet_year, range(0 if quick else 12)))
    figures = _figures(rows) | _quiet_figures(silent, years)
    sums = rows.groupby("world", sort=False).sum()
    table = pd.DataFrame({
        "companies": rows.groupby("world", sort=False).size(), "flags": sums["flags"],
        "wrong": sums["wrong"] / sums["flags"], "found": (sums["flags"] - sums["wrong"]) / sums["true"],
        "wrong_reps": sums["wrong_reps"] / sums["reps"], "planted_found": sums["planted_found"] / sums["planted"],
        "rules_wrong": sums["rules_wrong"] / sums["rules_flags"], "rules_found": sums["rules_found"] / sums["true"],
        "rank_wrong": sums["win_rate_rank_wrong"] / sums["win_rate_rank_flags"],
        "rank_found": sums["win_rate_rank_found"] / sums["true"],
    })  # fmt: skip
    return table.reset_index(), figures


def _number(world: World, quick: bool) -> int:
    return max(1, world.companies // 10) if quick else world.companies


def _figures(rows: pd.DataFrame) -> dict[str, float]:
    main = rows[rows["world"].isin(MAIN)].drop(columns="world").sum()
    every = rows.drop(columns="world").sum()
    share = rows["wrong"] / rows["flags"].clip(lower=1)
    ours, rules = every["wrong"] / every["flags"], every["rules_wrong"] / every["rules_flags"]
    return {
        "false_discovery_rate": float(ours),
        "false_discovery_rate_mean_of_companies": float(share.mean()),
        "false_discovery_rate_reps": float(every["wrong_reps"] / every["reps"]),
        "recall_pairs_4q": float((main["flags"] - main["wrong"]) / main["true"]),
        "recall_reps_4q": float(main["planted_found"] / main["planted"]),
        "fdr_ratio_to_rules_at_equal_flags": float(ours / rules),
        "recall_ratio_to_rules_at_equal_flags": float((every["flags"] - every["wrong"]) / every["rules_found"]),
        "fdr_ratio_to_win_rate_rank": float(ours / (every["win_rate_rank_wrong"] / every["win_rate_rank_flags"])),
        "recall_ratio_to_win_rate_rank": float((every["flags"] - every["wrong"]) / every["win_rate_rank_found"]),
        "poor_territory_flagged": float(every["poor_territory_flagged"] / every["poor_territory"]),
        "coasting_found": float(every["coasting_found"] / every["coasting"]),
    }


def _quiet_figures(silent: Iterable[bool], years: list[tuple[int, int]]) -> dict[str, float]:
    seen = np.array(list(silent))
    upper = stats.beta.ppf(0.975, seen.sum() + 1, len(seen) - seen.sum()) if len(seen) > seen.sum() else 1.0
    found = {"null_runs": float(len(seen)), "null_flag_rate": float(seen.mean()), "null_flag_rate_upper": float(upper)}
    if years:
        weeks = np.array(years)
        found |= {
            "null_weeks_with_a_flag": float(weeks[:, 0].mean() / 52),
            "null_years_with_a_flag": float((weeks[:, 1] > 0).mean()),
            "null_new_flags_a_year": float(weeks[:, 1].mean()),
        }
    return found
