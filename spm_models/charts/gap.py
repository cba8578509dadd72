"""The gap in money as a waterfall: each step of the work filled, what nobody can be coached in hollow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from spm_models.charts.waterfall import waterfall_chart
from spm_models.translations import Translator

_SMALL = 0.015  #: of the larger end: steps below it are told together


def gap_chart(t: Translator, rows: pd.DataFrame, *, width: int) -> Figure:
    """Steps from a reference to what one rep sold.

    Parameters
    ----------
    t : Translator
    rows : DataFrame
        ``coaching_gap`` of one rep and reference, in its order.
    width : int
        In SVG units.
    """
    size = max(rows["amount"].iloc[[0, -1]].abs().max(), 1.0)
    keep = (rows["amount"].abs() >= _SMALL * size).to_numpy(copy=True)
    keep[[0, -1]] = True
    labels = [step_name(t, row) for row in rows.to_dict("records")]
    steps = pd.DataFrame({"label": labels, "value": rows["amount"].to_numpy(), "pale": ~rows["coachable"].to_numpy()})
    rest = float(steps["value"][~keep].sum())
    shown = steps[keep]
    if abs(rest) >= 1:
        other = pd.DataFrame([{"label": t("gap_steps.rest"), "value": rest, "pale": False}])
        shown = pd.concat([shown.iloc[:-1], other, shown.iloc[-1:]], ignore_index=True)
    return waterfall_chart(t, shown.reset_index(drop=True), width=width)


def step_name(t: Translator, row: Mapping[Any, Any]) -> str:
    """What a step of ``coaching_gap`` is called."""
    if row["step"] != "conversion":
        return t.name("gap_steps", row["step"])
    return t("gap_steps.conversion", stage=t.name("stages", row["part"])) if row["part"] else t("gap_steps.win_rate")
