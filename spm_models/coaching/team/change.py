"""How a rep's own figures changed from one half-year to the next, beside what was to be expected in each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from spm_models.coaching.result import Posterior
from spm_models.kpis.working_time import quarters_until
from spm_models.periods import FiscalCalendar, Period

QUARTERS = 4
_HALF = 0.5  #: of an event, added so that none is a number too


def whole_quarters(as_of: pd.Timestamp, calendar: FiscalCalendar) -> list[Period]:
    """The last four quarters that are over, oldest first.

    Examples
    --------
    >>> [one.label for one in whole_quarters(pd.Timestamp("2026-08-14"), FiscalCalendar())]
    ['2025-Q3', '2025-Q4', '2026-Q1', '2026-Q2']
    """
    found = quarters_until(as_of.date(), calendar, QUARTERS)
    return [period for period in found if period.end <= as_of.date()][-QUARTERS:]


def change(posterior: Posterior, before: Sequence[str], now: Sequence[str]) -> pd.DataFrame:
    """One row a rep with rows in both spans: how much better he did in the later one.

    Parameters
    ----------
    posterior : Posterior
        Of a signal with rows by quarter (not of ``focus``, ``trend`` or a result).
    before, now : sequence of str
        Labels of the quarters of each span.

    Returns
    -------
    DataFrame
        By ``rep_id``: ``now`` and ``before`` as seen (shares, new deals a day at work, days + 1 or amounts), ``n_now``
        and ``n_before`` (observations), ``change`` (log of the ratio of what was seen over what was expected; above 0
        is better) and its standard ``error``.

    Notes
    -----
    What everybody's quarters have in common (season, a price list, a market) stands in what is expected, so it is no
    change of a rep's. Errors are those of chance at the rate that was seen (delta method).
    """
    rows = posterior.rows
    if rows is None:
        return pd.DataFrame(columns=["now", "before", "n_now", "n_before", "change", "error"], dtype=float)
    spread = np.asarray(posterior.error, dtype=float) ** 2 * posterior.n  # of one observation
    per_one = pd.Series(np.broadcast_to(spread, posterior.n.shape), index=pd.Index(posterior.rep_id, name="rep_id"))
    halves = [_half(posterior, rows[rows["period"].isin(list(span))], per_one) for span in (before, now)]
    both = halves[0].add_suffix("_before").join(halves[1].add_suffix("_now"), how="inner")
    better = both["beside_now"] - both["beside_before"]
    return pd.DataFrame({
        "now": both["seen_now"], "before": both["seen_before"], "n_now": both["n_now"], "n_before": both["n_before"],
        "change": -better if posterior.lower_is_better else better,
        "error": np.sqrt(both["variance_now"] + both["variance_before"]),
    })  # fmt: skip


def _half(posterior: Posterior, rows: pd.DataFrame, per_one: pd.Series) -> pd.DataFrame:
    weight = rows["size"] if posterior.normal else 1.0
    sums = rows.assign(total=rows["y"] * weight, awaited=rows["expected"] * rows["size"]).groupby("rep_id", sort=True)
    half = sums[["total", "size", "awaited"]].sum()
    half["n"], half["variance"] = half["size"], per_one.reindex(half.index) / half["size"]
    half["seen"] = half["total"] / half["size"]
    if posterior.log:
        half["beside"] = half["seen"] - half["awaited"] / half["size"]
        half["seen"] = np.exp(half["seen"])
    else:
        share = (half["total"] + _HALF) / (half["awaited"] + _HALF)
        half["beside"] = np.log(share)
        half["variance"] /= share
    return half[["seen", "n", "beside", "variance"]]
