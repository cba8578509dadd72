"""My team: the Monday page of a manager, read in three minutes. Nobody is put on show, nothing is ranked."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from markupsafe import Markup

from spm_models.apps.my_team_people import people_section
from spm_models.apps.outlook_change import movers
from spm_models.apps.outlook_view import Page, RevenueOutlook
from spm_models.apps.pages import link
from spm_models.apps.parts import cards, go, lede, section, state, top
from spm_models.apps.pieces import Pieces
from spm_models.apps.reading import PageReading, of_line
from spm_models.apps.session import Session
from spm_models.apps.stuck import named, stuck_list
from spm_models.reports import standing
from spm_models.reports.per_team import TeamDigest

DEALS = 5


class MyTeam:
    """The page in parts: where the quarter stands, what moved, deals that need the manager, people, what comes next."""

    def __init__(self, session: Session) -> None:
        self.session, self.t = session, session.reader.translator

    @cached_property
    def reading(self) -> PageReading | None:
        """Results of the line."""
        return of_line(self.session)

    @cached_property
    def digest(self) -> TeamDigest:
        """The sections that the weekly digest has as well."""
        assert self.reading is not None
        return TeamDigest(self.reading, {})

    @cached_property
    def _forecast(self) -> Page | None:
        return RevenueOutlook(self.session).page

    @property
    def headline(self) -> Pieces:
        """Closed and forecast against quota, with the change since last week."""
        return Pieces(self._headline)

    @property
    def week(self) -> Pieces:
        """What moved, by name, and the deals that need the manager."""
        return Pieces(self._week)

    @property
    def people(self) -> Pieces:
        """Up to three people, and next quarter's coverage."""
        return Pieces(self._people)

    def _headline(self) -> Iterator[Markup]:
        t, o = self.t, self.reading.outlook() if self.reading else None
        if self.reading is None or o is None:
            yield state(t("my_team.title"), t("page.state.empty"), t("page.state.no_results_remedy"))
            return
        expected, closed = t.compact_money(o.total("mean")), t.compact_money(o.closed)
        title = t.html("my_team.headline", period=t.period(o.period), closed=closed, expected=expected)
        low, high = t.compact_money(o.total("p10")), t.compact_money(o.total("p90"))
        lines = [lede(t.html("page.outlook.headline_range", low=low, high=high)), *self._change()]
        eyebrow = Markup("<bdi>{}</bdi> · {}").format(self.reading.name, t("common.data_as_of", day=o.as_of))
        yield top(self.session, eyebrow, title, *lines, standing.figures(t, o, ["standard"]))

    def _change(self) -> Iterator[Markup]:
        """By how much the expected revenue differs from last week's."""
        if self._forecast is None:
            return
        steps = self._forecast.of_unit("forecast_bridge", self._forecast.outlook.period)
        ends = steps[(steps["kind"] == "change")].set_index("step")["value"]
        if {"before", "after"} <= set(ends.index):
            change = float(ends["after"] - ends["before"])
            key = "up" if change > 0 else "down" if change < 0 else "same"
            yield lede(self.t.html(f"my_team.{key}", amount=self.t.compact_money(abs(change))))

    def _week(self) -> Iterator[Markup]:
        if self.reading is None:
            return
        t = self.t
        moved = movers(self._forecast, DEALS) if self._forecast else Markup("")
        what = moved or Markup("<p>{}</p>").format(t("my_team.nothing_moved"))
        more = go(link("revenue-outlook"), t("my_team.to_forecast"))
        o = self.reading.outlook()
        picture = section("range", t("outlook.range.title"), standing.picture(t, o, "range")) if o else ""
        yield cards([picture, section("moved", t("my_team.moved"), what, more)], [self._deals()])

    def _deals(self) -> Markup:
        t, reading = self.t, self.reading
        assert reading is not None
        rows = named(reading["stuck_deals"], reading["deal_scores"], reading["reps"]).head(DEALS)
        body = (
            stuck_list(t, rows, reading["stuck_reasons"])
            if len(rows)
            else Markup("<p>{}</p>").format(t("my_team.no_deals"))
        )
        return section("deals", t("my_team.deals"), body, go(link("deals", view="stuck"), t("my_team.to_deals")))

    def _people(self) -> Iterator[Markup]:
        if self.reading is None:
            return
        yield cards(
            [people_section(self.session, self.reading)],
            [self.digest.what_went_well, self.digest.next_quarter],
        )


def my_team(session: Session) -> MyTeam:
    """The Monday page of a manager.

    Parameters
    ----------
    session : Session
        Who looks, and the published results within what he may see.
    """
    return MyTeam(session)
