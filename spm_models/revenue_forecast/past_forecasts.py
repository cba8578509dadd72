"""Past quarters forecast again week by week, beside plain methods; what that teaches; and what is to be published.

References
----------
Dawid (1984), Statistical theory: the prequential approach, JRSS A 147: each forecast is judged by what was known then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.evaluation.forecast import forecast_scores
from spm_models.periods import FiscalCalendar
from spm_models.revenue_forecast.accuracy import (
    OURS,
    QUANTILES,
    QUESTION,
    UNITS,
    accuracy,
    in_words,
    level_coverage,
    level_rows,
    placement,
    quantile_figures,
    verdict,
)
from spm_models.revenue_forecast.blend import BLEND, MEMBERS, Blend, learn_blend
from spm_models.revenue_forecast.history import won_by_quarter
from spm_models.revenue_forecast.past_knowledge import KnownAt, Learn
from spm_models.revenue_forecast.past_weeks import DRAWS, Keep, PastWeek, Tell, past_weeks
from spm_models.revenue_forecast.plain_forecasts import Baseline
from spm_models.revenue_forecast.quarter_weeks import FEW_WEEKS
from spm_models.revenue_forecast.result import SIMULATION, RevenueForecast
from spm_models.revenue_forecast.reweighting import stretched
from spm_models.revenue_forecast.submissions import submissions_by_level, submitted_beside

Cents = npt.NDArray[np.int64]
#: End of a day as naive UTC.
Cutoff = Callable[[date], datetime]
_LEAST_FOR_TIMING = 2
SUBMITTED = "submitted"
_KINDS = {
    "period": "str", "week": "int64", "as_of": "datetime64[s]", "method": "str", "mean": "float64",
    **dict.fromkeys(QUANTILES, "float64"), "actual": "float64", "error": "float64", "hit": "boolean",
}  # fmt: skip
_Z = np.array([-1.959963984540054, -1.2815515655446004, -0.6744897501960817, 0.0])
_NORMAL = tuple(map(float, np.concatenate([_Z, -_Z[2::-1]])))


@dataclass(frozen=True, eq=False)
class Replay:
    """What replayed quarters taught.

    Parameters
    ----------
    table : DataFrame
        Published table ``forecast_replay``: the company's total by quarter, week and method; ``error`` is mean minus
        actual, in the company's currency.
    units : DataFrame
        Where what came lay among the draws of each unit of each level, of the blend and of the simulation.
    blend : Blend
        Learned from all replayed quarters; :attr:`table` holds what it said of each from the quarters before.
    skipped : tuple of str
        Quarters that could not be forecast, and why.
    by_timing : bool
        Whether open deals are to be forecast by their own timing (``deal_timing`` of
        :meth:`RevenueForecaster.predict`): it was given, and did no worse than deals like them before.
    kept : int
        Replayed weeks that were not done again.
    until : datetime.date
        Last day of the last replayed quarter.
    submitted : DataFrame
        Commits that stood for units at the end of replayed weeks (:func:`.submissions.submitted_beside`).
    """

    table: pd.DataFrame
    units: pd.DataFrame
    blend: Blend
    skipped: tuple[str, ...] = field(default=())
    by_timing: bool = False
    kept: int = 0
    until: date = date.max
    submitted: pd.DataFrame = field(default_factory=pd.DataFrame)

    @cached_property
    def facts(self) -> dict[str, object]:
        """What to publish and why (:func:`~spm_models.revenue_forecast.accuracy.verdict`)."""
        return verdict(self.table)

    @property
    def published(self) -> str:
        """``blend``, ``simulation``, or the plain method that they did not match."""
        return str(self.facts["published"])

    @property
    def verdict(self) -> pd.DataFrame:
        """One row of the published table ``model_verdicts``."""
        row = {"question": QUESTION, "published": self.published, "baseline": self.facts["baseline"]}
        return pd.DataFrame([row | {"reason": in_words(self.facts)}])

    @cached_property
    def accuracy(self) -> pd.DataFrame:
        """Published table ``forecast_accuracy``: error and ranges by method and week."""
        return accuracy(self.table)

    @cached_property
    def levels(self) -> pd.DataFrame:
        """Coverage and width of ranges by level of the organisation."""
        return level_coverage(self.units)

    @cached_property
    def placement(self) -> pd.DataFrame:
        """How often what came lay in each tenth of the draws, by level."""
        return placement(self.units)

    @cached_property
    def submissions(self) -> pd.DataFrame:
        """Published table ``submissions_by_level``: people's commits by level and week, beside our forecast."""
        return submissions_by_level(self.submitted)

    @property
    def summary(self) -> pd.DataFrame:
        """One row a method, best error first: weeks, error, bias, coverage of the range, interval score."""
        return forecast_scores(self.table.dropna(subset=["p10"]))

    @property
    def scores(self) -> pd.DataFrame:
        """Rows of the published table ``model_scores``; ``n`` counts quarters."""
        if self.table.empty:
            return pd.DataFrame(
                columns=["question", "model", "measure", "value", "n", "test_start", "test_end"], dtype="object"
            )
        quarters = self.table.groupby("method").period.nunique()
        wide = self.summary.assign(n=lambda rows: rows.method.map(quarters))
        rows = wide.melt(["method", "n"], var_name="measure").rename(columns={"method": "model"})
        start = self.table.as_of.min() + pd.Timedelta(days=1)
        return rows.assign(question=QUESTION, test_start=start, test_end=np.datetime64(self.until, "s"))

    def with_submissions(self, said: pd.DataFrame, cutoff: Cutoff) -> Replay:
        """The same with what people had submitted by the end of each week laid beside, as :func:`replay` takes it."""
        ours = self.published if self.published in OURS else BLEND
        stood = submitted_beside(said, self.units, cutoff, ours)
        company = stood[stood.level == "company"].rename(columns={"commit": "mean"})
        rows = company[["period", "week", "as_of", "actual", "mean"]].assign(method=SUBMITTED)
        others = self.table[self.table.method != SUBMITTED]
        table = _table(pd.concat([others, rows], ignore_index=True)) if len(rows) else others
        return replace(self, table=table, submitted=stood)

    def timing(self, table: pd.DataFrame | None) -> pd.DataFrame | None:
        """``deal_timing`` to forecast with: the table, or None where past forecasts did better without."""
        return table if self.by_timing else None

    def publish(self, forecast: RevenueForecast, plain: dict[str, Baseline], seed: int = 0) -> RevenueForecast:
        """What the verdict says: the blend, the simulation itself, or a plain method's totals shared out like it.

        Parameters
        ----------
        forecast : RevenueForecast
            The simulation.
        plain : dict
            Plain forecasts and series of the same period (:class:`.PlainForecasts`).
        seed : int
        """
        baseline = plain.get(self.published)
        if baseline is not None:
            totals = baseline.totals(len(forecast.open), float(forecast.closed.sum()) / 100)
            note = f"The totals are those of the plain baseline {baseline.method}: the simulation did not match it."
            return forecast.rescaled(totals, baseline.method, note)
        if self.published == SIMULATION:
            return forecast
        return self.blend.apply(forecast, {name: each.point for name, each in plain.items()}, seed)


def replay(
    known: KnownAt,
    as_of: date,
    *,
    learn: Learn | None = None,
    calendar: FiscalCalendar | None = None,
    quarters: int = 4,
    weeks: Sequence[int] = FEW_WEEKS,
    seed: int = 0,
    draws: int = DRAWS,
    keep: Keep | None = None,
    tell: Tell | None = None,
    said: pd.DataFrame | None = None,
    cutoff: Cutoff | None = None,
) -> Replay:
    """Forecast weeks of the last finished quarters again, learn how to blend, and judge.

    Parameters
    ----------
    known : callable
        What was known at the end of a day (:func:`known_from`).
    as_of : datetime.date
        Quarters finished by then are replayed; actuals are as known then.
    learn : callable, optional
        ``learn(snapshots, outcomes)`` gives ``score(pipeline)``: win probabilities, and by when. Learned on the eve
        of each quarter; without it every deal has the common win rate.
    calendar : FiscalCalendar, optional
    quarters : int
    weeks : sequence of int
        Weeks that had passed, 0 (the eve) to 12.
    seed, draws : int
    keep : Keep, optional
        Where replayed weeks are kept.
    tell : callable, optional
        Told ``(what, done, total)``.
    said : DataFrame, optional
        What people submitted (``journal.submissions``): the newest commit of each unit and replayed day is judged too.
    cutoff : callable, optional
        End of a day as naive UTC (``workspace.cutoff``); midnight UTC without it.

    Notes
    -----
    Blend and timing of a replayed quarter are chosen by earlier replayed quarters only.
    """
    calendar = calendar or FiscalCalendar()
    final = known(as_of).outcomes
    actuals = won_by_quarter(final, calendar, as_of).tail(quarters)
    wanted = [calendar.parse(str(label)) for label in actuals.index]
    found, skipped, kept = past_weeks(
        known, wanted, sorted(weeks), learn=learn, calendar=calendar, seed=seed, draws=draws, keep=keep, tell=tell
    )
    won = final[final.won & (final.closed_on <= pd.Timestamp(as_of))]
    came = {quarter.label: won[won.closed_on.between(pd.Timestamp(quarter.start), pd.Timestamp(quarter.end))]
            for quarter in wanted}  # fmt: skip
    done = judged(found, came, seed, said, cutoff)
    return replace(done, skipped=tuple(skipped), kept=kept, until=wanted[-1].end if wanted else as_of)


def judged(
    weeks: Sequence[PastWeek], came: dict[str, pd.DataFrame], seed: int = 0, said: pd.DataFrame | None = None,
    cutoff: Cutoff | None = None,
) -> Replay:  # fmt: skip
    """Blend each quarter by what the quarters before taught, and lay what came beside it.

    Parameters
    ----------
    weeks : sequence of PastWeek
    came : dict of str to DataFrame
        Deals won in each quarter: ``rep_id, amount``.
    seed : int
    said, cutoff : optional
        As :func:`replay` takes them.
    """
    by_quarter: dict[str, list[PastWeek]] = {}
    for each in weeks:
        by_quarter.setdefault(each.period, []).append(each)
    rows, units = [], []
    learned: dict[bool, list[dict[str, object]]] = {False: [], True: []}
    for period, mine in by_quarter.items():
        timed = _by_timing(learned)
        blend = learn_blend(_frame(learned[timed]))
        actual = float(np.rint(came[period].amount.fillna(0.0) * 100).sum()) / 100
        for week in mine:
            facts = {"period": week.period, "week": week.week, "as_of": pd.Timestamp(week.as_of), "actual": actual}
            drawn = _ours(week, blend, timed, seed)
            rows += [
                facts | {"method": name} | quantile_figures(draws.sum(axis=1) / 100) for name, draws in drawn.items()
            ]
            rows += [facts | {"method": name} | _plain(each) for name, each in week.plain.items()]
            leaf = _by_leaf(came[period], week.leaves)
            for name, draws in drawn.items():
                units += level_rows(draws, leaf, week.leaves, facts | {"method": name})
        for with_timing in learned:
            learned[with_timing] += [_learnable(week, actual, with_timing) for week in mine]
    by_timing = _by_timing(learned)
    placed, blend = pd.DataFrame(units, columns=UNITS), learn_blend(_frame(learned[by_timing]))
    found = Replay(_table(rows), placed, blend, by_timing=by_timing)
    return found if said is None else found.with_submissions(said, cutoff or _midnight)


def _ours(week: PastWeek, blend: Blend, timed: bool, seed: int) -> dict[str, Cents]:
    """Draws of each leaf by the simulation and by the blend."""
    draws = week.timed if timed else week.untimed
    totals = draws.sum(axis=1) / 100
    closed = float(week.closed.sum()) / 100
    points = {name: each.point for name, each in week.plain.items()}
    mean = blend.mean(week.week, float(totals.mean()), points, closed)
    keep, ratio = stretched(totals, closed, mean, float(blend.scale[week.week]), seed)
    left = np.rint((draws[keep] - week.closed) * ratio).astype(np.int64)
    return {SIMULATION: draws, BLEND: left + week.closed}


def _learnable(week: PastWeek, actual: float, timed: bool) -> dict[str, object]:
    """A row of what :func:`learn_blend` learns from."""
    totals = (week.timed if timed else week.untimed).sum(axis=1) / 100
    row: dict[str, object] = {name: week.plain[name].point for name in MEMBERS if name in week.plain}
    return row | {
        "period": week.period, "week": week.week, "simulation": float(totals.mean()), "spread": float(totals.std()),
        "actual": actual, "told": week.told,
    }  # fmt: skip


def _by_timing(learned: dict[bool, list[dict[str, object]]]) -> bool:
    """Whether timing was given throughout and its errors were no larger, over two quarters at least."""
    both = {timed: _frame(rows) for timed, rows in learned.items()}
    if both[True].period.nunique() < _LEAST_FOR_TIMING or not both[True].told.all():
        return False
    off = {timed: float((rows.simulation - rows.actual).abs().sum()) for timed, rows in both.items()}
    return off[True] <= off[False]


def _frame(rows: list[dict[str, object]]) -> pd.DataFrame:
    columns = ["period", "week", "simulation", "spread", "actual", "told", *MEMBERS]
    return pd.DataFrame(rows, columns=columns)


def _plain(baseline: Baseline) -> dict[str, float]:
    quantiles = dict(zip(QUANTILES, baseline.quantiles(_NORMAL), strict=True))
    return {"mean": max(baseline.point, baseline.closed)} | quantiles


def _midnight(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time())


def _by_leaf(won: pd.DataFrame, leaves: pd.DataFrame) -> Cents:
    """What each leaf won, in cents; what belongs to nobody of that day is the last one's."""
    at = pd.Index(leaves.rep_id[:-1]).get_indexer(pd.Index(won.rep_id))
    at = np.where(at < 0, len(leaves) - 1, at)
    cents = np.rint(won.amount.fillna(0.0).to_numpy(dtype=float) * 100)
    return np.bincount(at, cents, minlength=len(leaves)).astype(np.int64)


def _table(rows: list[dict[str, object]] | pd.DataFrame) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=[name for name in _KINDS if name not in ("error", "hit")])
    table = table.assign(
        error=table["mean"] - table.actual,
        hit=table.actual.between(table.p10, table.p90).astype("boolean").mask(table.p10.isna()),
    )
    ordered = table[list(_KINDS)].astype(_KINDS)
    place = ordered.method.map({name: str(number) for number, name in enumerate(OURS)}).fillna(ordered.method)
    ordered = ordered.assign(place=place).sort_values(["place", "period", "week"], ignore_index=True)
    return ordered.drop(columns="place")
