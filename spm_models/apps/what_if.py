"""The live control of the revenue outlook: what another win rate would bring, from the published draws."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

import ipywidgets as widgets
import numpy as np
import pandas as pd
from markupsafe import Markup

from spm_models.apps.outlook import PARTS
from spm_models.apps.parts import between, join, tile, tiles
from spm_models.translations import Translator

log = logging.getLogger(__name__)
LIMIT = 30  #: percent, in both directions


@dataclass(frozen=True)
class Scenario:
    """Range of the total, and the probability of each quota tier."""

    p10: float
    p50: float
    p90: float
    probabilities: dict[str, float]


def scenario(draws: pd.DataFrame, quotas: dict[str, float], change: float) -> Scenario:
    """The forecast if deals were won more (or less) often by a share.

    Parameters
    ----------
    draws : DataFrame
        Columns closed and those of the other parts: amounts in the company's currency, one row a draw.
    quotas : dict
        Quota of each tier.
    change : float
        0.1 = ten percent more deals won; what is closed stays.

    Notes
    -----
    All that is not closed is scaled draw by draw: its mean is exact, the width of its range an
    approximation (it grows in proportion, while the number of deals would in truth add a little chance of its own).

    Examples
    --------
    >>> draws = pd.DataFrame({"closed": [10.0, 10.0], "open": [10.0, 30.0], "not_yet_created": [0.0, 0.0]})
    >>> result = scenario(draws, {"standard": 42.0}, 0.1)
    >>> round(result.p50, 6), result.probabilities
    (32.0, {'standard': 0.5})
    """
    to_come = draws[[part for part in PARTS if part != "closed" and part in draws]].sum(axis=1)
    total = draws["closed"] + (1.0 + change) * to_come
    low, middle, high = np.quantile(total, [0.1, 0.5, 0.9])
    chances = {tier: float((total >= quota).mean()) for tier, quota in quotas.items() if quota == quota}
    return Scenario(float(low), float(middle), float(high), chances)


def what_if(t: Translator, draws: pd.DataFrame, quotas: dict[str, float]) -> widgets.Widget:
    """A slider for the win rate and the figures that follow it."""
    slider = widgets.IntSlider(
        value=0, min=-LIMIT, max=LIMIT, step=5, readout=False, continuous_update=True,
        description=t("outlook.what_if.slider"), style={"description_width": "initial"},
        layout=widgets.Layout(width="100%", max_width="34rem"),
    )  # fmt: skip
    answer = widgets.HTML(value=_answer(t, draws, quotas, 0))

    @_guarded(t, answer)
    def follow(change: dict[str, Any]) -> None:
        answer.value = _answer(t, draws, quotas, int(change["new"]))

    slider.observe(follow, names="value")
    return widgets.VBox([slider, answer])


def _answer(t: Translator, draws: pd.DataFrame, quotas: dict[str, float], percent: int) -> Markup:
    base, now = scenario(draws, quotas, 0.0), scenario(draws, quotas, percent / 100)
    rate = t.percent(percent / 100, signed=True) if percent else t("outlook.what_if.unchanged")
    shift = t("outlook.what_if.shift", amount=t.compact_money(now.p50 - base.p50)) if percent else ""
    items = [
        tile(t("kpi.win_rate"), rate),
        tile(t("forecast.expected"), t.compact_money(now.p50), shift),
        tile(t("common.range80"), between(t.compact_money(now.p10), t.compact_money(now.p90))),
        *(
            tile(t("outlook.chance_of", tier=t.name("tiers", tier)), t.percent(chance))
            for tier, chance in now.probabilities.items()
        ),
    ]
    return Markup('<div role="status">{}</div>').format(join([tiles(items)]))


def _guarded(t: Translator, answer: widgets.HTML) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Log what fails in a callback and say so kindly: a traceback would reach the browser."""

    def wrap(callback: Callable[..., None]) -> Callable[..., None]:
        @wraps(callback)
        def call(*args: Any) -> None:
            try:
                callback(*args)
            except Exception:
                log.exception("A live control failed")
                answer.value = Markup("<p>{}</p>").format(t("page.state.error"))

        return call

    return wrap
