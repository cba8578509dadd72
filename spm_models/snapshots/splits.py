"""Splits that respect time: what is learned from always lies before what is predicted."""

from __future__ import annotations

from datetime import date

import pandas as pd

from spm_models.errors import NotEnoughDataError
from spm_models.snapshots.days import plain


def split_by_time(rows: pd.DataFrame, test_from: date | str, *, by: str = "as_of") -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows dated before ``test_from``, and rows from that day on.

    Parameters
    ----------
    rows : DataFrame
        With a column of days named ``by``.
    test_from : date or ISO text
        First day of the test period.
    by : str
        Column that dates a row: ``as_of`` for pipelines, ``closed_on`` for outcomes. Rows without a date are in
        neither part.

    Returns
    -------
    tuple of DataFrame
        Training rows, test rows; a copy each, with the index kept.

    Raises
    ------
    NotEnoughDataError
        When one part would be empty.

    Notes
    -----
    The split dates rows, not labels: a snapshot of last month belongs to the past although its deal may close
    tomorrow. Learning must also drop labels that were not known on ``test_from``; see
    :func:`spm_models.win_probability.learning_set`.

    Examples
    --------
    >>> rows = pd.DataFrame({"as_of": pd.to_datetime(["2026-01-31", "2026-02-28"]), "x": [1, 2]})
    >>> before, after = split_by_time(rows, "2026-02-01")
    >>> before.x.tolist(), after.x.tolist()
    ([1], [2])
    """
    start = pd.Timestamp(plain(test_from))
    before, after = rows[rows[by] < start].copy(), rows[rows[by] >= start].copy()
    if before.empty or after.empty:
        raise NotEnoughDataError(
            f"There is nothing {'before' if before.empty else 'from'} the first day of the test",
            where=f"column {by}", found=str(start.date()), remedy="Choose a day inside the data.",
        )  # fmt: skip
    return before, after
