"""Why the forecast is another: since last week, from the target, and what moved in the pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from markupsafe import Markup

from spm_models.apps.parts import Column, behind, drawn, join, paragraph, section
from spm_models.charts.waterfall import waterfall_chart

if TYPE_CHECKING:
    from spm_models.apps.outlook_view import Page

_MOVERS = 10
_WINDOWS = ("week", "four_weeks", "quarter")
_SMALL = 0.001  # of the forecast: smaller steps stand in the table only


def change_section(page: Page) -> Markup:
    """From last week's forecast to this one, and the deals behind it by name."""
    t = page.t
    steps = _steps(page, "change")
    if len(steps) < 2:
        return Markup("")
    first, last = float(steps["value"].iloc[0]), float(steps["value"].iloc[-1])
    day = steps["from_on"].iloc[0]
    inner = steps.iloc[1:-1]
    if inner.empty or abs(last - first) < _SMALL * max(abs(first), 1.0):
        title, lead = t.html("outlook.change.same", day=day), Markup("")
    else:
        along = inner[inner["value"] * (last - first) > 0]
        largest = _largest(along if len(along) else inner)
        title = t.html("outlook.change.finding", amount=t.compact_money(last - first, signed=True), day=day)
        lead = _largest_step(page, largest)
    body = Markup('<div class="beside"><div>{}</div><div>{}</div></div>').format(
        _chart(page, "change", steps, title), movers(page)
    )
    inner_section = section("change", title, lead, body, _behind(page, "change", steps),
                            intro=t("outlook.change.intro"))  # fmt: skip
    return Markup('<div class="full">{}</div>').format(inner_section)


def target_section(page: Page) -> Markup:
    """From the target to the forecast (or the actual), by the factors that make revenue."""
    t = page.t
    steps = _steps(page, "target")
    if len(steps) < 2:
        return Markup("")
    inner = steps.iloc[1:-1]
    gap = float(steps["value"].iloc[-1] - steps["value"].iloc[0])
    real = inner[inner["value"].abs() >= inner["by_chance"].fillna(0.0)]
    real = real[real["value"] * gap > 0]
    amount = t.compact_money(gap, signed=True)
    title = t.html("outlook.target.finding", amount=amount)
    lead = paragraph(t("outlook.target.chance"), "verdict") if real.empty else _largest_step(page, _largest(real))
    steps = steps.assign(pale=(steps["value"].abs() < steps["by_chance"].fillna(0.0)) & steps.index.isin(inner.index))
    note = Markup('<p class="note">{}</p>').format(t("outlook.target.note")) if steps["pale"].any() else ""
    return section("target", title, lead, _chart(page, "target", steps, title), note, _behind(page, "target", steps),
                   intro=t("outlook.target.intro"))  # fmt: skip


def movement_section(page: Page) -> Markup:
    """What moved in the pipeline in the last week; longer windows one click away."""
    t = page.t
    every = page.of_unit("pipeline_movement", period="")
    windows = [window for window in _WINDOWS if (every["window"] == window).sum() > 1]
    if not windows:
        return Markup("")
    blocks: list[Markup] = []
    for window in windows:
        rows = every[every["window"] == window].sort_values("place").rename(columns={"amount": "value"})
        finding = t("outlook.movement.finding", before=t.compact_money(rows["value"].iloc[0]),
                    after=t.compact_money(rows["value"].iloc[-1]), day=rows["from_on"].iloc[0])  # fmt: skip
        body = Markup("<p>{}</p>{}{}").format(
            finding, _chart(page, f"movement-{window}", rows, finding), _moves(page, window, rows)
        )
        if blocks:
            body = Markup("<details><summary>{}</summary>{}</details>").format(t(f"outlook.movement.{window}"), body)
        blocks.append(body)
    return section("movement", t("outlook.movement.title"), join(blocks), intro=t(f"outlook.movement.{windows[0]}"))


def _largest(steps: pd.DataFrame) -> dict[Any, Any]:
    """The step that moves most."""
    return max(steps.to_dict("records"), key=lambda step: abs(step["value"]))


def _largest_step(page: Page, step: dict[Any, Any]) -> Markup:
    """The step that says most of why, in a line below the heading."""
    t = page.t
    name, value = t.name("bridge_steps", step["step"]), t.compact_money(step["value"], signed=True)
    return paragraph(t.html("outlook.change.largest", step=name, value=value), "verdict")


def _steps(page: Page, kind: str) -> pd.DataFrame:
    rows = page.of_unit("forecast_bridge", period=page.outlook.period)
    return rows[rows["kind"] == kind].sort_values("place", ignore_index=True)


def _chart(page: Page, name: str, steps: pd.DataFrame, title: str) -> Markup:
    t = page.t
    size = max(steps["value"].iloc[[0, -1]].abs().max(), 1.0)
    keep = steps["value"].abs() >= _SMALL * size
    keep.iloc[[0, -1]] = True
    rest = float(steps["value"][~keep].sum())
    shown = steps[keep].assign(label=[t.name("bridge_steps", step) for step in steps["step"][keep]])
    if abs(rest) >= 1:
        other = pd.DataFrame([{"label": t("outlook.change.rest"), "value": rest, "pale": False}])
        shown = pd.concat([shown.iloc[:-1], other, shown.iloc[-1:]], ignore_index=True)
    if "pale" in shown:
        shown = shown.assign(pale=shown["pale"].fillna(False).astype(bool))
    alt = t("outlook.change.alt", title=Markup(title).striptags())
    return drawn(name, alt, lambda width: waterfall_chart(t, shown, width=width))


def _behind(page: Page, kind: str, steps: pd.DataFrame) -> Markup:
    t = page.t
    columns = [
        Column("step", t("outlook.change.step"), lambda step: t.name("bridge_steps", step)),
        Column("value", t("outlook.change.amount"), t.money, number=True),
    ]
    if kind == "target":
        columns.append(Column("by_chance", t("outlook.target.by_chance"), t.money, number=True))
    return behind(t, steps, columns, t(f"outlook.{kind}.table"), f"{kind}-{page.outlook.period}")


def movers(page: Page, most: int = _MOVERS) -> Markup:
    """The deals that moved the forecast most, each with the step that says why."""
    t = page.t
    rows = page.of_reps("forecast_bridge_deals", period=page.outlook.period)
    if rows.empty:
        return Markup("")
    total = rows.groupby("opportunity_id")["value"].sum()
    first = rows.loc[rows.groupby("opportunity_id")["value"].apply(lambda values: values.abs().idxmax())]
    deals = first.set_index("opportunity_id").assign(total=total)
    deals = deals.loc[total.abs().sort_values(ascending=False, kind="stable").index].head(most)
    item = Markup("<li><span><b><bdi>{}</bdi></b> <small><bdi>{}</bdi> · {}</small></span><b><bdi>{}</bdi></b></li>")
    items = join(
        item.format(
            deal["account_name"] if isinstance(deal["account_name"], str) else key, page.rep_name(deal["rep_id"]),
            t.name("bridge_steps", deal["step"]), t.compact_money(deal["total"], signed=True),
        )
        for key, deal in deals.iterrows()
    )  # fmt: skip
    return Markup('<h3>{}</h3><ol class="movers">{}</ol>').format(t("outlook.change.movers"), items)


def _moves(page: Page, window: str, rows: pd.DataFrame) -> Markup:
    t = page.t
    moves = page.of_reps("pipeline_moves", period="")
    moves = moves[moves["window"] == window].sort_values("amount", key=abs, ascending=False, ignore_index=True)
    columns = [
        Column("account_name", t("deal.account")),
        Column("rep_id", t("levels.rep"), page.rep_name),
        Column("step", t("outlook.change.step"), lambda step: t.name("bridge_steps", step)),
        Column("amount", t("outlook.change.amount"), t.money, number=True),
        Column("close_after", t("deal.expected_close_on"), t.day),
    ]
    steps = [
        Column("step", t("outlook.change.step"), lambda step: t.name("bridge_steps", step)),
        Column("value", t("outlook.change.amount"), t.money, number=True),
        Column("deals", t("outlook.movement.deals"), t.number, number=True),
    ]
    tables = behind(t, rows, steps, t("outlook.movement.title"), f"movement-{window}")
    if moves.empty:
        return tables
    name = t("outlook.movement.moves")
    return tables + behind(t, moves, columns, name, f"moves-{window}", fold=name)
