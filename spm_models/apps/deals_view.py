"""Deals: open deals in the order of what is worth doing, each with its chance, reasons, and what people say of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import pandas as pd
from markupsafe import Markup

from spm_models.apps.choose import chooser
from spm_models.apps.forms import Field, Number, Text, form
from spm_models.apps.outlook import top_deals
from spm_models.apps.pages import link
from spm_models.apps.parts import Column, behind, cards, go, join, lede, section, state, top
from spm_models.apps.pieces import Pieces
from spm_models.apps.session import Session
from spm_models.apps.stuck import why
from spm_models.reports.beside import Beside, methods_note
from spm_models.reports.deals import deal_card
from spm_models.reports.parts import bullets, paragraph
from spm_models.reports.words import account_of

SHOWN = 20  #: cards on one page
VIEWS = ("all", "stuck", "this_month", "no_date")


class Deals:
    """The page in parts: the list, or the one deal that the address names."""

    def __init__(self, session: Session) -> None:
        self.session, self.t = session, session.reader.translator

    @property
    def headline(self) -> Pieces:
        """How many deals, what they are worth, and what to look at."""
        return Pieces(self._headline)

    @property
    def list(self) -> Pieces:
        """The deals as cards, and all of them as a table."""
        return Pieces(self._list)

    @cached_property
    def _names(self) -> dict[str, str]:
        people = self.session.results["reps"]
        return dict(zip(people["rep_id"], people["name"].fillna(people["rep_id"]), strict=True))

    @cached_property
    def _all(self) -> pd.DataFrame:
        """Every open deal in scope: stuck ones by what is at stake first, then by expected value."""
        results = self.session.results
        scores = results["deal_scores"]
        ends = results["forecast"]["period_end"]
        ordered = top_deals({"deal_scores": scores}, ends.min() if len(ends) else pd.Timestamp.max, n=len(scores))
        stuck = results["stuck_deals"].set_index("opportunity_id")["rank"]
        place = ordered["opportunity_id"].map(stuck)
        return ordered.assign(stuck=place.notna(), place=place).sort_values(
            ["place"], na_position="last", kind="stable", ignore_index=True
        )

    @cached_property
    def _chosen(self) -> pd.DataFrame:
        asked, rows = self.session.asked, self._all
        if asked.get("deal"):
            return rows[rows["opportunity_id"] == asked["deal"]]
        if asked.get("rep"):
            rows = rows[rows["rep_id"] == asked["rep"]]
        if asked.get("stage"):
            rows = rows[rows["stage"] == asked["stage"]]
        as_of = pd.Timestamp(self.session.results.manifest.as_of)
        views = {
            "stuck": rows["stuck"], "no_date": rows["expected_close_on"].isna(),
            "this_month": rows["expected_close_on"].between(as_of, as_of + pd.Timedelta(days=31)),
        }  # fmt: skip
        return rows[views[asked["view"]]] if asked.get("view") in views else rows

    def _headline(self) -> Iterator[Markup]:
        t, rows = self.t, self._chosen
        day = t("common.data_as_of", day=self.session.results.manifest.as_of)
        if self.session.asked.get("deal"):
            if rows.empty:
                yield state(t("pages.titles.deals"), t("deals_page.not_found"), t("page.state.no_access_remedy"))
                return
            yield top(self.session, day, Markup("<bdi>{}</bdi>").format(account_of(rows.iloc[0].to_dict())),
                      go(link("deals"), t("deals_page.to_all")))  # fmt: skip
            return
        stuck = int(rows["stuck"].sum())
        title = t.html("deals_page.headline", n=len(rows), worth=t.compact_money(float(rows["amount"].sum())))
        yield top(self.session, day, title, lede(t("deals_page.stuck", n=stuck)), lede(t("deals_page.order")),
                  self._choice())  # fmt: skip

    def _choice(self) -> Markup:
        t, asked = self.t, self.session.asked
        named = {(rep, self._names.get(rep, rep)) for rep in self._all["rep_id"]}
        reps = sorted(named, key=lambda one: one[1].casefold())
        stages = [(name, t.name("stages", name)) for name in sorted(self._all["stage"].dropna().unique())]
        return chooser(t, "deals", {
            "view": (t("deals_page.view"), [(view, t(f"deals_page.views.{view}")) for view in VIEWS],
                     asked.get("view", "all")),
            "rep": (t("levels.rep"), [("", t("coaching_page.everybody")), *reps] if len(reps) > 1 else [],
                    asked.get("rep", "")),
            "stage": (t("deal.stage"), [("", t("deals_page.views.all")), *stages],
                      asked.get("stage", "")),
        })  # fmt: skip

    def _list(self) -> Iterator[Markup]:
        t, rows = self.t, self._chosen
        if rows.empty:
            if not self.session.asked.get("deal"):
                yield state(t("pages.titles.deals"), t("deals_page.none"))
            return
        beside = Beside.of(self.session.results)
        one = bool(self.session.asked.get("deal"))
        page = _page(self.session.asked.get("page", ""), len(rows))
        shown = rows.iloc[page * SHOWN : (page + 1) * SHOWN].to_dict("records")
        items = join(self._card(row, beside, whole=one) for row in shown)
        note = methods_note(t, rows)
        body: list[object] = [Markup('<ol class="deals">{}</ol>').format(items)]
        body += [paragraph(note, "note")] if note else []
        if not one:
            body += [self._more(page, len(rows)), self._table(rows)]
        yield cards([section("deals", t("pages.titles.deals"), *body)])

    def _card(self, row: Mapping[Any, Any], beside: Beside, *, whole: bool) -> Markup:
        t = self.t
        card = deal_card(t, row, beside, who=self._names.get(row["rep_id"], str(row["rep_id"])))
        below: list[Markup] = []
        if row["stuck"]:
            reasons = self.session.results["stuck_reasons"]
            own = reasons[reasons["opportunity_id"] == row["opportunity_id"]].to_dict("records")
            below.append(bullets(why(t, own), "facts"))
        if whole:
            below.append(self._timing(str(row["opportunity_id"])))
            below.append(self._override(row))
        else:
            below.append(go(link("deals", deal=row["opportunity_id"]), t("deals_page.open")))
        return Markup(str(card).removesuffix("</li>")) + join(below) + Markup("</li>")

    def _timing(self, deal: str) -> Markup:
        t, rows = self.t, self.session.results["deal_timing"]
        rows = rows[rows["opportunity_id"] == deal].sort_values("day")
        if rows.empty:
            return Markup("")
        columns = [
            Column("day", t("deals_page.by"), t.day), Column("won_by", t("deals_page.won_by"), t.percent, number=True),
            Column("lost_by", t("deals_page.lost_by"), t.percent, number=True),
        ]  # fmt: skip
        return behind(t, rows, columns, t("deals_page.timing"), f"timing-{deal}", fold=t("deals_page.timing"))

    def _override(self, row: Mapping[Any, Any]) -> Markup:
        t = self.t
        fields: list[Field] = [
            Number("chance", t("deals_page.chance"), help=t("deals_page.chance_help"), required=False),
            Text("reason", t("deals_page.reason"), rows=2, required=False, longest=1000),
        ]
        return form(t, "override", {"deal": row["opportunity_id"]}, fields, label=t("answers.send"),
                    fold=t("deals_page.override"))  # fmt: skip

    def _more(self, page: int, n: int) -> Markup:
        t, last = self.t, (n - 1) // SHOWN
        asked = {name: value for name, value in self.session.asked.items() if name != "page"}
        links = [
            (place, word) for place, word in ((page - 1, "previous"), (page + 1, "next")) if 0 <= place <= last
        ]  # fmt: skip
        return join(go(link("deals", **asked, page=str(place + 1)), t(f"deals_page.{word}")) for place, word in links)

    def _table(self, rows: pd.DataFrame) -> Markup:
        t = self.t
        shown = rows.assign(
            account=[account_of(row) for row in rows.to_dict("records")],
            rep=[self._names.get(rep, rep) for rep in rows["rep_id"]],
        )
        columns = [
            Column("account", t("deal.account")), Column("rep", t("levels.rep")),
            Column("stage", t("deal.stage"), lambda stage: t.name("stages", stage) if isinstance(stage, str) else "–"),
            Column("amount", t("deal.amount"), t.money, number=True),
            Column("win_probability", t("deal.win_probability"), t.percent, number=True),
            Column("expected_close_on", t("deal.expected_close_on"), t.day),
        ]  # fmt: skip
        return behind(t, shown, columns, t("outlook.deals.all"), "deals")


def _page(text: str, n: int) -> int:
    """Number of the page that is asked for, from 0; the first for anything else."""
    asked = int(text) - 1 if text.isascii() and text.isdigit() and len(text) < 6 else 0
    return asked if 0 <= asked * SHOWN < max(n, 1) else 0


def deals(session: Session) -> Deals:
    """The page of open deals.

    Parameters
    ----------
    session : Session
        Who looks, the published results within what he may see, and what the address asks for (``rep``, ``stage``,
        ``view``, ``deal``, ``page``).
    """
    return Deals(session)
