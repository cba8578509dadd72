"""The live control of the revenue outlook: what other assumptions would bring, from the deals and draws themselves."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import pandas as pd
from markupsafe import Markup

from spm_models.apps.parts import between, join, tile, tiles
from spm_models.periods import FiscalCalendar
from spm_models.revenue_forecast.published_inputs import read_inputs
from spm_models.revenue_forecast.what_if import what_if as drawn_again
from spm_models.translations import Translator

if TYPE_CHECKING:
    from spm_models.apps.outlook_view import Page

log = logging.getLogger(__name__)
DRAWS = 1000
#: Each control: where it stands at first, its ends, its step.
CONTROLS = {
    "win_rate": (0, -30, 30, 5), "slip_days": (0, -28, 42, 7), "new_business": (0, -50, 50, 10), "hires": (0, 0, 10, 1),
    "price": (0, -20, 20, 5),
}  # fmt: skip
_SHARES = ("win_rate", "new_business", "price")


def assumptions(values: dict[str, int]) -> dict[str, float]:
    """What the controls say as arguments of :func:`spm_models.revenue_forecast.what_if.what_if`.

    Examples
    --------
    >>> assumptions({"win_rate": 10, "hires": 2})
    {'win_rate': 1.1, 'hires': 2.0}
    """
    return {name: 1 + value / 100 if name in _SHARES else float(value) for name, value in values.items()}


def what_if(page: Page) -> widgets.Widget:
    """Sliders for what could be otherwise, and the figures that follow them."""
    t, o = page.t, page.outlook
    settings = page.session.workspace.settings
    inputs = read_inputs(page.session.results, o.period, FiscalCalendar.of(settings.calendar))
    published = o.parts.rename_axis("part").reset_index()
    quotas = {str(tier): float(quota) for tier, quota in o.chances["quota"].dropna().items()}
    today = {tier: o.probability(tier) for tier in quotas}

    def answer() -> Markup:
        changes = {name: int(slider.value) for name, slider in sliders.items()}
        found = drawn_again(inputs, **assumptions(changes), level=o.level, key=o.key, draws=DRAWS)
        after = found.beside(published)
        return _answer(t, o.total("mean"), after, chances(o.draws, o.parts, after, quotas), any(changes.values()))

    sliders = {
        name: widgets.IntSlider(
            value=start, min=low, max=high, step=step, continuous_update=False,
            description=t(f"outlook.what_if.{name}"), style={"description_width": "14rem"},
            layout=widgets.Layout(width="100%", max_width="40rem"),
        )
        for name, (start, low, high, step) in CONTROLS.items()
    }  # fmt: skip
    back = widgets.Button(description=t("outlook.what_if.reset"))
    shown = widgets.HTML(value=_answer(t, o.total("mean"), o.parts, today, False))

    @_guarded(t, shown)
    def follow(_: dict[str, Any]) -> None:
        shown.value = answer()

    @_guarded(t, shown)
    def reset(_: widgets.Button) -> None:
        for name, slider in sliders.items():
            slider.value = CONTROLS[name][0]

    for slider in sliders.values():
        slider.observe(follow, names="value")
    back.on_click(reset)
    return widgets.VBox([*sliders.values(), back, shown])


def chances(
    draws: pd.DataFrame, before: pd.DataFrame, after: pd.DataFrame, quotas: dict[str, float]
) -> dict[str, float]:
    """Probability to reach each tier when each part of the published draws changes as its mean does.

    Parameters
    ----------
    draws : DataFrame
        One row a draw, one column a part.
    before, after : DataFrame
        Index part, column ``mean``.
    quotas : dict
        Amount of each tier.

    Examples
    --------
    >>> draws = pd.DataFrame({"closed": [10.0, 10.0], "open": [10.0, 30.0]})
    >>> mean = pd.DataFrame({"mean": [10.0, 20.0]}, index=["closed", "open"])
    >>> chances(draws, mean, mean.mul([1.0, 1.1], axis=0), {"standard": 42.0})
    {'standard': 0.5}
    """
    total = pd.Series(0.0, index=draws.index)
    for part in draws.columns.intersection(before.index).drop("total", errors="ignore"):
        mean, now = float(before["mean"][part]), float(after["mean"][part])
        total += draws[part] * (now / mean) if mean > 0 else now
    return {tier: float((total >= quota).mean()) for tier, quota in quotas.items()}


def _answer(t: Translator, before: float, after: pd.DataFrame, reached: dict[str, float], changed: bool) -> Markup:
    """The range now, and by how much the expected revenue and each part differ from today's forecast."""
    total = {name: float(after[name]["total"]) for name in ("mean", "p10", "p90")}
    means = {str(part): float(mean) for part, mean in after["mean"].items() if part != "total"}
    shift = t("outlook.what_if.unchanged")
    if changed:
        amount = t.compact_money(total["mean"] - before, signed=True)
        shift = t("outlook.what_if.shift", amount=amount)
    items = [
        tile(t("forecast.expected"), t.compact_money(total["mean"]), shift),
        tile(t("common.range80"), between(t.compact_money(total["p10"]), t.compact_money(total["p90"]))),
        *(
            tile(t("outlook.chance_of", tier=t.name("tiers", tier)), t.percent(chance))
            for tier, chance in reached.items()
        ),
        *(tile(t(f"parts.{part}"), t.compact_money(mean)) for part, mean in means.items() if mean > 0),
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
