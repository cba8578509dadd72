"""Early warning: whose wins, new deals or contacts have fallen to half of what is usual for him, and since when.

It is about change. Each rep is watched beside his own level, learned from the weeks before; who was always below others
is the review's affair. It is a hint to look at causes, and some hints come by chance alone: how many is stated.

References
----------
Steiner, Cook, Farewell and Treasure (2000), Biostatistics 1; Hawkins and Olwell (1998), chapter 7; Jensen and others
(2006), Effects of parameter estimation on control chart properties, Journal of Quality Technology 38.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from spm_models.coaching.features import Evidence
from spm_models.coaching.result import CoachingFindings, empty_table
from spm_models.coaching.watch_limits import threshold, weeks_to_see
from spm_models.coaching.watch_steps import Places, Steps, wins, work
from spm_models.inference.cusum import Floats

#: New hints by chance alone, a rep and year. About wins one among ten reps: with one in a whole company of forty, fewer
#: than half of the halvings would be seen within nine months, which is no early warning. Work shows in larger numbers.
FALSE_ALARMS = {"wins": 0.1, "pipeline_creation": 0.025, "activity": 0.025}
_LEVEL = 0.8


@dataclass(frozen=True, eq=False)
class EarlyWarnings:
    """What is watched, and how it came about.

    Parameters
    ----------
    table : DataFrame
        Published as ``early_warnings``: one row a rep in role and watch.
    path : DataFrame
        Published as ``early_warning_path``: one row a rep, watch and watched week.
    """

    table: pd.DataFrame
    path: pd.DataFrame


def early_warnings(
    evidence: Evidence, findings: CoachingFindings, *, seed: int = 0, false_alarms: dict[str, float] | None = None
) -> EarlyWarnings:
    """Watch all reps who have been in role for half a year.

    Parameters
    ----------
    evidence : Evidence
        Of more than half a year: the first 26 weeks (of somebody newer, his own) teach what is usual.
    findings : CoachingFindings
        Of the same evidence; what is expected of each deal and how much reps differ is taken from it.
    seed : int
        Of the quiet years that are played to find the thresholds.
    false_alarms : dict, optional
        Hints by chance alone, a rep and year, by watch; :data:`FALSE_ALARMS` without it.

    Returns
    -------
    EarlyWarnings
        Empty where there is nothing to watch.

    Examples
    --------
    >>> from spm_models.coaching import CoachingReview, simulate_evidence
    >>> company, _ = simulate_evidence(3, reps=4)
    >>> found = early_warnings(company, CoachingReview().fit(company).predict(company)).table
    >>> found["watch"].value_counts().to_dict()
    {'activity': 4, 'pipeline_creation': 4, 'wins': 4}
    """
    rates = FALSE_ALARMS | (false_alarms or {})
    watched = [wins(evidence, findings), work(evidence, "pipeline_creation"), work(evidence, "activity")]
    tables, paths = [empty_table("early_warnings")], [empty_table("early_warning_path")]
    for number, steps in enumerate(watched):
        if steps is not None and (steps.begins < len(steps.weeks)).any():
            table, path = _watch(steps, rates[steps.watch], np.random.default_rng([seed, number]))
            tables.append(table)
            paths.append(path)
    table, path = (_joined(rows) for rows in (tables, paths))
    return EarlyWarnings(
        table.sort_values(["rep_id", "watch"], ignore_index=True),
        path.sort_values(["rep_id", "watch", "week"], ignore_index=True),
    )


def _joined(rows: list[pd.DataFrame]) -> pd.DataFrame:
    schema = rows[0]
    if len(rows) == 1:
        return schema
    return pd.concat(rows[1:], ignore_index=True)[list(schema)].astype(schema.dtypes.to_dict())


def _watch(steps: Steps, rate: float, random: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    limit, stated = threshold(steps, rate, random)
    learned, path = steps.path()
    weekly = steps.weekly(path)
    reps, weeks = len(steps.rep_id), len(steps.weeks)
    sums = [_by_week(steps, values) for values in (steps.y, learned.expected, learned.variance, _there(steps))]
    watched = np.arange(weeks)[None, :] >= steps.begins[:, None]
    seen, usual, variance, n = (np.where(watched, values, 0.0) for values in sums)
    total = np.cumsum(usual, axis=1)
    reach = special.ndtri((1 + _LEVEL) / 2) * np.sqrt(np.cumsum(variance, axis=1))
    rows = np.flatnonzero(watched.ravel())
    long = pd.DataFrame({
        "rep_id": np.repeat(steps.rep_id, weeks), "watch": steps.watch, "week": np.tile(steps.weeks, reps),
        "observed": seen.ravel(), "expected": usual.ravel(), "low": np.maximum(total - reach, 0.0).ravel(),
        "high": (total + reach).ravel(), "statistic": weekly.ravel(), "threshold": limit,
    }).iloc[rows]  # fmt: skip
    left = _left_zero(steps, path)
    after = np.arange(weeks)[None, :] >= left[:, None]
    table = pd.DataFrame({
        "rep_id": steps.rep_id, "watch": steps.watch, "statistic": weekly[:, -1], "threshold": limit,
        "signalled": weekly[:, -1] >= limit, "since": _days(steps, left),
        "observed": (seen * after).sum(axis=1), "expected": (usual * after).sum(axis=1), "n": (n * after).sum(axis=1),
        "false_alarms_a_year": stated * reps, "weeks_to_see_half": weeks_to_see(steps, limit, random),
    })  # fmt: skip
    return table, long


def _there(steps: Steps) -> Floats:
    return np.isfinite(steps.usual).astype(float)


def _by_week(steps: Steps, values: Floats) -> Floats:
    """Sums of steps by week, shape (reps, weeks)."""
    found = np.zeros((len(values), len(steps.weeks) + 1))
    np.add.at(found, (np.arange(len(values))[:, None], steps.week), np.where(np.isfinite(steps.usual), values, 0.0))
    return found[:, :-1]


def _left_zero(steps: Steps, path: Floats) -> Places:
    """The week in which the sum last began to rise from zero; the number of weeks where it stands at zero."""
    real = steps.week < len(steps.weeks)
    zero = (path <= 0) & real
    number = path.shape[1]
    last = np.where(zero.any(axis=1), number - 1 - zero[:, ::-1].argmax(axis=1), -1)
    following = np.minimum(last + 1, number - 1)
    week = steps.week[np.arange(len(path)), following]
    return np.asarray(np.where(last + 1 < number, week, len(steps.weeks)), dtype=np.int64)


def _days(steps: Steps, week: Places) -> pd.Series:
    """First days of weeks; empty where there is none."""
    known = week < len(steps.weeks)
    days = pd.Series(steps.weeks[np.minimum(week, len(steps.weeks) - 1)])
    return days.where(known)
