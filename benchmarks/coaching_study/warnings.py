"""Early warnings in companies where it is known whether anything changed: false hints, and how soon a halving is seen.

Alone: ``PYTHONPATH=benchmarks python -m coaching_study.warnings [--quick]``.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

import numpy as np
import pandas as pd

from coaching_study.flags import review
from coaching_study.worlds import DEALS, HIDDEN, SPREAD, seen_between
from spm_models.coaching import Evidence, simulate_evidence
from spm_models.coaching.early_warning import FALSE_ALARMS, early_warnings
from spm_models.coaching.watch_limits import NEW_AFTER, new_hints
from spm_models.coaching.watch_steps import REFERENCE_WEEKS, wins
from spm_models.inference import outcome_weights, running_sum, threshold_for

REPS, YEAR = 40, 52.1775
_VOLUMES = (50.0, 100.0, 200.0)  # deals closed a year and rep
_CHANGED = 39  # week of the change: nine months before it, nine after
_SHAPE = {"index": "rep_id", "columns": "week"}
_WATCHES = ("wins", "pipeline_creation", "activity")


def study(quick: bool, workers: int = 2) -> dict[str, float]:
    """All figures, for companies of 40 reps who differ naturally, a tenth of their circumstances in no column.

    ``warnings_false_alarms_a_year``: hints about wins where nothing changed, of all reps together, beside what is
    ``_stated``; ``_work``: the same of new deals and contacts together; ``_weekly_looks``: counted as a company meets
    them, everything learned anew each week; ``_plain``: if everybody were held to the typical level and its textbook
    threshold. ``warnings_weeks_to_see_half``: in which half of the halvings are seen, at 100 deals a year (``_50``,
    ``_200``), beside what the table says (``_stated``); ``warnings_seen_13_weeks`` and ``_26_weeks``: share seen by
    then; ``_rare``: with one false hint a year in the whole company.
    """
    companies, changed, looks = (4, 4, 0) if quick else (120, 30, 6)
    with ProcessPoolExecutor(workers) as pool:
        silent = pd.DataFrame(pool.map(quiet, range(companies)))
        halved = pd.concat(pool.map(halvings, [v for v in _VOLUMES for _ in range(changed)], [*range(changed)] * 3))
        weekly = list(pool.map(weekly_looks, range(looks)))
    figures = _quiet_figures(silent) | _seen_figures(halved)
    if weekly:
        figures["warnings_false_alarms_a_year_weekly_looks"] = float(np.mean([new for new, _ in weekly]))
        figures["warnings_standing_a_week_weekly_looks"] = float(np.mean([standing for _, standing in weekly]))
    return figures


def quiet(seed: int, reps: int = REPS) -> dict[str, float]:
    """New hints of a quarter in one company in which nothing changes, and those that were stated."""
    random = np.random.default_rng([seed, 9])
    deals = DEALS * float(np.exp(0.35 * random.standard_normal()))
    evidence, _ = simulate_evidence(9000 + seed, reps=reps, deals=deals, spread=SPREAD, hidden=HIDDEN)
    evidence = _without_trend(evidence, random)
    findings = review(evidence)
    found = early_warnings(evidence, findings, seed=seed)
    row = {"years": reps * NEW_AFTER / YEAR, "reps": float(reps)}
    for watch in _WATCHES:
        path = found.path[found.path["watch"] == watch]
        row[watch] = _hints(path.pivot(**_SHAPE, values="statistic").to_numpy(), float(path["threshold"].iloc[0]))
        row[f"{watch}_stated"] = float(found.table.loc[found.table["watch"] == watch, "false_alarms_a_year"].iloc[0])
    steps = wins(evidence, findings)
    assert steps is not None
    limit = threshold_for(deals / FALSE_ALARMS["wins"], steps.usual[np.isfinite(steps.usual)])
    plain = running_sum(np.where(steps.week < REFERENCE_WEEKS, 0.0, outcome_weights(steps.y, steps.usual)))
    row["plain"] = _hints(steps.weekly(plain)[:, REFERENCE_WEEKS:], limit)
    return row


def halvings(deals: float, seed: int, reps: int = REPS) -> pd.DataFrame:
    """One row a rep whose odds halved and who had no hint before: weeks until the hint (missing: none) and stated."""
    fallen = [f"r{number:03d}" for number in range(0, reps, 15)]
    evidence, _ = simulate_evidence(
        7000 + seed, reps=reps, quarters=6, deals=deals, spread=SPREAD, hidden=HIDDEN,
        halved=dict.fromkeys(fallen, _CHANGED),
    )  # fmt: skip
    evidence = _wins_alone(evidence)
    findings = review(evidence)
    parts = []
    for name, rate in (("usual", FALSE_ALARMS["wins"]), ("rare", 1 / reps)):
        found = early_warnings(evidence, findings, seed=seed, false_alarms={"wins": rate})
        path = found.path[found.path["rep_id"].isin(fallen)]
        reached = path.pivot(index="rep_id", columns="week", values="statistic") >= path["threshold"].iloc[0]
        number = _CHANGED - REFERENCE_WEEKS
        fresh = ~reached.iloc[:, :number].any(axis=1)
        after = reached.loc[fresh].iloc[:, number:]
        weeks = pd.Series(after.to_numpy().argmax(axis=1) + 1.0, index=after.index).where(after.any(axis=1))
        stated = found.table.set_index("rep_id")["weeks_to_see_half"].reindex(after.index)
        parts.append(pd.DataFrame({"aim": name, "deals": deals, "weeks": weeks, "stated": stated}))
    return pd.concat(parts)


def weekly_looks(seed: int, reps: int = REPS) -> tuple[int, float]:
    """A quiet year as a company meets it: reps newly hinted at, who had no hint in the quarter before; mean standing.

    Each week looks back four whole quarters and the running one, and learns everything anew.
    """
    new, standing, last = 0, [], dict[str, int]()
    for number, evidence in enumerate(_looks(seed, reps)):
        table = early_warnings(evidence, review(evidence), seed=seed).table
        now = set(table.loc[table["signalled"], "rep_id"])
        if number >= 13:  # the first quarter tells what stood before
            new += sum(number - last.get(rep, -99) > NEW_AFTER for rep in now)
            standing.append(len(now))
        last |= dict.fromkeys(now, number)
    return new, float(np.mean(standing))


def _looks(seed: int, reps: int) -> Iterator[Evidence]:
    whole = simulate_evidence(8000 + seed, reps=reps, quarters=9, deals=DEALS, spread=SPREAD, hidden=HIDDEN)[0]
    whole = _wins_alone(whole)
    weeks = np.sort(whole.weeks["week"].unique())
    for last in range(4 * 13, 9 * 13):
        first = max(last // 13 - 4, 0) * 13
        until = pd.Timestamp(weeks[last]) + pd.Timedelta(days=6)
        yield _wins_alone(seen_between(whole, pd.Timestamp(weeks[first]), until))


def _wins_alone(evidence: Evidence) -> Evidence:
    """Without what the review needs for its other signals: the same expectations, in less time."""
    deals = evidence.deals.assign(price_kept=np.nan, longest_silence=np.nan, activities=np.nan)
    weeks = evidence.weeks.assign(activity=0.0, created=0.0)
    return replace(evidence, deals=deals, weeks=weeks, work={}, results=evidence.results.iloc[:0])


def _without_trend(evidence: Evidence, random: np.random.Generator) -> Evidence:
    """The same company with every rep's contacts drawn from one pace: the simulation lets the last quarter's differ."""
    weeks = evidence.weeks.copy()
    mean = weeks.groupby("rep_id")["activity"].transform("mean").to_numpy()
    weeks["activity"] = 3.0 * random.poisson(mean / 3.0)
    return replace(evidence, weeks=weeks)


def _hints(weekly: np.ndarray, limit: float) -> float:
    """New hints in the second of two watched quarters."""
    return float(new_hints(weekly, limit)[:, NEW_AFTER:].sum())


def _quiet_figures(rows: pd.DataFrame) -> dict[str, float]:
    years = rows["years"].sum()
    per_company = REPS / years
    count = rows["wins"].sum()
    work = ["pipeline_creation", "activity"]
    return {
        "warnings_false_alarms_a_year": float(count * per_company),
        "warnings_false_alarms_a_year_error": float(np.sqrt(max(count, 1.0)) * per_company),
        "warnings_false_alarms_stated": float(rows["wins_stated"].mean()),
        "warnings_false_alarms_a_year_work": float(rows[work].sum().sum() * per_company),
        "warnings_false_alarms_stated_work": float(rows[[f"{name}_stated" for name in work]].sum(axis=1).mean()),
        "warnings_false_alarms_a_year_plain": float(rows["plain"].sum() * per_company),
    }


def _seen_figures(rows: pd.DataFrame) -> dict[str, float]:
    found = {}
    for (aim, deals), group in rows.groupby(["aim", "deals"]):
        name = ("" if deals == DEALS else f"_{deals:.0f}") + ("_rare" if aim == "rare" else "")
        weeks = group["weeks"].fillna(np.inf)
        found[f"warnings_weeks_to_see_half{name}"] = float(
            np.where(np.isfinite(weeks.median()), weeks.median(), np.nan)
        )
        found[f"warnings_seen_13_weeks{name}"] = float((weeks <= 13).mean())
        found[f"warnings_seen_26_weeks{name}"] = float((weeks <= 26).mean())
        if aim == "usual":
            found[f"warnings_weeks_to_see_half{name}_stated"] = float(group["stated"].fillna(np.inf).median())
    return found


def main() -> None:
    start = time.perf_counter()
    print(pd.Series(study("--quick" in sys.argv)).round(3).to_string())
    print(f"{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
