"""The sample company knows the true chance of every open deal."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from spm_models.sample_company import simulate
from spm_models.sample_company.buyers import STAGES
from spm_models.snapshots import month_ends, outcomes, pipelines
from spm_models.win_probability import WinProbability

LAST = date(2026, 6, 30)
NEEDED = (
    "reps", "reporting_lines", "territories", "accounts", "products", "opportunities", "opportunity_history",
    "activities", "contacts", "exchange_rates",
)  # fmt: skip


@pytest.mark.slow
def test_open_deals_are_calibrated_against_the_true_chances(tables_of):
    made = simulate("small", seed=3, last_day=LAST)
    deals = made.tables["opportunities"]
    frames = {name: made.tables[name] for name in NEEDED} | {"opportunities": deals.assign(amount_company=deals.amount)}
    tables = tables_of(frames, LAST, time_zone="Europe/Istanbul", stages=tuple(STAGES[:5]), currency="TRY")
    snapshots = pipelines(tables, month_ends(date(2023, 7, 1), LAST))
    model = WinProbability(seed=1).fit(snapshots, outcomes(tables, LAST))
    assert model.method_ == "model" and model.evaluation_ is not None
    scores = model.predict(snapshots[snapshots["as_of"] == pd.Timestamp(LAST)]).table
    truth = scores.merge(made.truth["open_deals"], on="opportunity_id", validate="one_to_one")
    told, true = truth["win_probability"].to_numpy(), truth["p_win"].to_numpy()
    assert len(truth) == len(scores) > 80
    assert np.corrcoef(told, true)[0, 1] > 0.4  # half of what decides a deal stands in no table
    order = np.argsort(told)
    for third in np.array_split(order, 3):
        gap = true[third].mean() - told[third].mean()
        noise = true[third].std() / np.sqrt(len(third))
        assert abs(gap) < 3 * noise + 0.05, (told[third].mean(), true[third].mean())
