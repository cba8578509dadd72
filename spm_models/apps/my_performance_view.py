"""My performance: a rep's own page. Where he stands, what went well, one thing to work on; he answers and corrects."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import cached_property

import pandas as pd
from markupsafe import Markup

from spm_models.apps import answers
from spm_models.apps.pages import link
from spm_models.apps.parts import cards, go, section, state, top
from spm_models.apps.pieces import Pieces
from spm_models.apps.reading import PageReading, of_rep
from spm_models.apps.session import Session
from spm_models.coaching.people.rhythm import WEEKS
from spm_models.reports import standing, topic
from spm_models.reports.findings import praise
from spm_models.reports.parts import join
from spm_models.reports.per_rep import CoachingReport


class MyPerformance:
    """The page in parts; its sections are those of the rep's weekly report, with forms beside what may be answered."""

    def __init__(self, session: Session) -> None:
        self.session, self.t = session, session.reader.translator

    @cached_property
    def reading(self) -> PageReading | None:
        """The viewer's own results."""
        return of_rep(self.session, self.session.reader.person)

    @cached_property
    def report(self) -> CoachingReport:
        """The sections that his report has as well."""
        assert self.reading is not None
        return CoachingReport(self.reading, {})

    @property
    def headline(self) -> Pieces:
        """Where he stands, and the path to target."""
        return Pieces(self._headline)

    @property
    def week(self) -> Pieces:
        """What went well, this week's deals, and the one thing to work on."""
        return Pieces(self._week)

    @property
    def talk(self) -> Pieces:
        """Agreements, the agenda, and the target with what can be said about it."""
        return Pieces(self._talk)

    @property
    def data(self) -> Pieces:
        """What stands behind it, which data were used, and who has looked."""
        return Pieces(self._data)

    def _headline(self) -> Iterator[Markup]:
        t = self.t
        if self.reading is None:
            yield state(t("my_performance.title"), t("page.state.empty"), t("page.state.no_results_remedy"))
            return
        o = self.reading.outlook()
        eyebrow = Markup("<bdi>{}</bdi> · {}").format(self.reading.name, t("common.data_as_of", day=self.reading.as_of))
        if o is None:
            yield top(self.session, eyebrow, t("report.where.no_forecast"))
            return
        expected, closed = t.compact_money(o.total("mean")), t.compact_money(o.closed)
        title = t.html("my_team.headline", period=t.period(o.period), closed=closed, expected=expected)
        yield top(self.session, eyebrow, title, standing.figures(t, o, ["standard"]))
        yield cards([section("where-i-stand", t("report.where.heading"), standing.picture(t, o, "range"),
                             standing.path_to_target(self.reading, o))],
                    [section("what-went-well", t("report.well.heading"), praise(self.reading)),
                     self.report.this_weeks_deals, go(link("deals"), t("my_performance.to_deals"))])  # fmt: skip

    def _week(self) -> Iterator[Markup]:
        if self.reading is None:
            return
        t, reading = self.t, self.reading
        found = topic.topic(reading)
        signal = str(found["signal"]) if found is not None else ""
        yield cards([section("one-thing", t("report.focus.heading"), topic.in_short(reading), answers.reply(t, signal)),
                     answers.target(t, reading)],
                    [self.report.agreements])  # fmt: skip

    def _talk(self) -> Iterator[Markup]:
        if self.reading is None:
            return
        t, reading = self.t, self.reading
        mine = reading["agreed_actions"]
        recent = mine["held_on"] > reading.as_of - pd.Timedelta(weeks=WEEKS)
        mine = mine[(mine["state"] == "open") & (mine["rep_id"] == reading.key) & recent]
        yield cards([self.report.topic_in_detail],
                    [section("my-actions", t("my_performance.actions"), answers.actions(t, mine),
                             intro=t("my_performance.actions_intro"))])  # fmt: skip

    def _data(self) -> Iterator[Markup]:
        if self.reading is None:
            return
        t = self.t
        deals = self.reading["deal_scores"].sort_values(["account_name", "opportunity_id"])
        yield cards(
            [self.report.gap, self.report.others],
            [self.report.detectable,
             self.report.record, section("correct", t("my_performance.correct"), answers.correction(t, deals),
                                         intro=t("my_performance.correct_intro")),
             section("who-has-looked", t("my_performance.looked.heading"), self._looked(),
                     intro=t("my_performance.looked.intro")),
             self.report.team],
        )  # fmt: skip

    def _looked(self) -> Markup:
        t, looked = self.t, self.session.looked
        if not looked:
            return Markup("<p>{}</p>").format(t("my_performance.looked.none"))
        lines = [
            t.html("my_performance.looked.line", name=one.name, n=one.times, day=date.fromisoformat(one.last_on))
            for one in looked
        ]
        return Markup("<ul>{}</ul>").format(join(Markup("<li>{}</li>").format(line) for line in lines))


def my_performance(session: Session) -> MyPerformance:
    """A rep's own page.

    Parameters
    ----------
    session : Session
        Who looks, and the published results within what he may see.
    """
    return MyPerformance(session)
