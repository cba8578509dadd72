"""Whether the quarter is on pace, and what people say beside the forecast."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from markupsafe import Markup

from spm_models.apps.forms import Field, Number, Text, form
from spm_models.apps.parts import Column, behind, drawn, join, section
from spm_models.charts.said import said_chart
from spm_models.charts.waterfall import pacing_chart

if TYPE_CHECKING:
    from spm_models.apps.outlook_view import Page

_CATEGORIES = ("closed", "commit", "best_case", "pipeline", "omitted", "none")


def pace_section(page: Page) -> Markup:
    """Revenue so far beside past quarters at the same point, and what each week has to bring for the quota."""
    t = page.t
    pacing, position = page.of_unit("pacing"), page.of_unit("pacing_position")
    if pacing.empty or position.empty:
        return Markup("")
    here = position.to_dict("records")[0]
    known = int(here["quarters"]) > 0 and pd.notna(here["usual_revenue"])
    so_far, usual = t.compact_money(here["revenue"]), t.compact_money(here["usual_revenue"])
    when = {"period": t.period(here["period"]), "week": t.number(here["week"])}
    title = t("outlook.pace.title", **when)
    lines = []
    if known:
        title = t("outlook.pace.finding", revenue=so_far, **when)
        lines.append(
            t("outlook.pace.usual", usual=usual, share=t.percent(here["usual_share"]), n=int(here["quarters"]))
        )
    tiers = page.of_unit("quota_pace")
    for tier in tiers[(tiers["left"] > 0) & tiers["needed_per_week"].notna()].to_dict("records"):
        lines.append(t("outlook.pace.needed", tier=t.name("tiers", tier["tier"]), n=int(tier["quarters"]),
                       needed=t.compact_money(tier["needed_per_week"]), reached=t.number(tier["reached"])))  # fmt: skip
    quotas = dict(zip(tiers["tier"].astype(str), tiers["quota"].astype(float), strict=True))
    quotas = {tier: quota for tier, quota in quotas.items() if quota == quota}
    chart = drawn(
        "pace", t("outlook.change.alt", title=title), lambda width: pacing_chart(t, pacing, quotas, width=width)
    )
    words = join(Markup("<li>{}</li>").format(line) for line in lines)
    columns = [
        Column("period", t("common.period"), t.period),
        Column("week", t("outlook.pace.week"), t.number, number=True),
        Column("revenue", t("forecast.revenue"), t.money, number=True),
        Column("share", t("outlook.pace.share"), t.percent, number=True),
    ]
    table = behind(t, pacing.sort_values(["period", "week"], ascending=[False, True]), columns, t("outlook.pace.table"),
                   "pace")  # fmt: skip
    return section("pace", title, chart, Markup('<ul class="facts">{}</ul>').format(words), table,
                   intro=t("outlook.pace.intro"))  # fmt: skip


def people_section(page: Page) -> Markup:
    """Commit and best case of people and of the CRM's categories, on one line with the forecast's range."""
    t, o = page.t, page.outlook
    rows = [{"label": t("outlook.people.forecast"), "kind": "forecast", "low": o.total("p10"),
             "middle": o.total("mean"), "high": o.total("p90")}]  # fmt: skip
    categories = page.of_unit("forecast_categories", period=o.period).set_index("category")
    named = categories.index.intersection(["commit", "best_case"])
    if len(named):
        commit, best = (float(categories["running"].get(name, float("nan"))) for name in ("commit", "best_case"))
        low = commit if commit == commit else best
        rows.append({"label": t("outlook.people.crm"), "kind": "crm", "low": low, "middle": low,
                     "high": best if best == best else low})  # fmt: skip
    said = page.of_unit("forecast_submissions", period=o.period)
    said = said[said["standing"].astype(bool)].sort_values(["submitted_at", "author"], ascending=False)
    for one in said.head(8).to_dict("records"):
        name = t("outlook.people.person", name=one["author_name"], day=one["submitted_at"])
        top = one["commit"] if pd.isna(one["best_case"]) else one["best_case"]
        rows.append({"label": name, "kind": "person", "low": one["commit"], "middle": one["commit"], "high": top})
    if len(rows) == 1:
        if not page.may_submit:
            return Markup("")
        return section("people", t("outlook.people.nobody"), _own(page), intro=t("outlook.people.intro"))
    frame = pd.DataFrame(rows)
    outside = frame[
        (frame["kind"] != "forecast") & ((frame["middle"] < o.total("p10")) | (frame["middle"] > o.total("p90")))
    ]
    title = t("outlook.people.agree") if outside.empty else t("outlook.people.differ", name=outside["label"].iloc[0])
    chart = drawn("people", t("outlook.change.alt", title=title), lambda width: said_chart(t, frame, width=width))
    columns = [
        Column("label", t("common.name")),
        Column("low", t("outlook.people.low"), t.money, number=True),
        Column("high", t("outlook.people.high"), t.money, number=True),
    ]
    table = behind(t, frame, columns, t("outlook.people.table"), "people")
    return section("people", title, chart, _accuracy(page), _own(page), table, intro=t("outlook.people.intro"))


def _own(page: Page) -> Markup:
    """The form in which the viewer says what he expects of the unit; nothing where that is not his to say."""
    t, o = page.t, page.outlook
    if not page.may_submit:
        return Markup("")
    fields: list[Field] = [
        Number("commit", t("outlook.people.own_commit"), help=t("outlook.people.own_help", period=t.period(o.period))),
        Number("best_case", t("outlook.people.own_best"), required=False),
        Text("note", t("outlook.people.own_note"), required=False, rows=2, longest=1000),
    ]
    about = {"period": o.period, "of": f"{o.level}:{o.key}" if o.key else o.level}
    return form(t, "submission", about, fields, label=t("outlook.people.own_send"), fold=t("outlook.people.own"))


def _accuracy(page: Page) -> Markup:
    """How far people's commits were off, where past periods tell."""
    t = page.t
    rows = page.of_unit("submission_accuracy")
    rows = rows[rows["periods"] > 0]
    if rows.empty:
        return Markup("")
    rows = rows.assign(weighted=rows["commit_error"] * rows["periods"])
    people = rows.groupby("author_name", sort=True).agg({"weighted": "sum", "periods": ["sum", "max"]})
    items = join(
        Markup("<li>{}</li>").format(
            t("outlook.people.accuracy", name=name, error=t.percent(off / weight), n=int(most))
        )
        for name, (off, weight, most) in zip(people.index, people.to_numpy(), strict=True)
    )
    return Markup('<ul class="facts">{}</ul>').format(items)
