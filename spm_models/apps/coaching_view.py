"""Coaching: the people of a line, and for one of them what could help, with what stands behind it and what was said."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import pandas as pd
from markupsafe import Markup

from spm_models.apps.choose import chooser
from spm_models.apps.coaching_forms import writing
from spm_models.apps.pages import link
from spm_models.apps.parts import cards, go, join, lede, section, state, top
from spm_models.apps.pieces import Pieces
from spm_models.apps.reading import PageReading, of_rep
from spm_models.apps.session import Session
from spm_models.coaching.plans.one_to_one import next_one_to_one
from spm_models.periods import FiscalCalendar
from spm_models.reports import topic
from spm_models.reports.findings import praise
from spm_models.reports.per_rep import CoachingReport
from spm_models.reports.words import topic_of

VERDICTS = ("coaching_suggestion", "watch", "fine", "doing_well", "not_enough_data")


class Coaching:
    """The page in parts: of everybody in alphabetical order, or of the one person whom the address names."""

    def __init__(self, session: Session) -> None:
        self.session, self.t = session, session.reader.translator

    @cached_property
    def reading(self) -> PageReading | None:
        """Results of the person whom the address names; None without one, or where he is not in scope."""
        wanted = self.session.asked.get("rep", "")
        return of_rep(self.session, wanted) if wanted else None

    @cached_property
    def report(self) -> CoachingReport:
        """The sections that the person's report has as well."""
        assert self.reading is not None
        return CoachingReport(self.reading, {})

    @property
    def headline(self) -> Pieces:
        """Who, and the one thing to talk about; of everybody: how many have a topic."""
        return Pieces(self._headline)

    @property
    def talk(self) -> Pieces:
        """Praise, agreements and agenda, and what may be written."""
        return Pieces(self._talk)

    @property
    def behind(self) -> Pieces:
        """What stands behind it: causes, the gap in money, how others see it, what may have changed."""
        return Pieces(self._behind)

    @cached_property
    def _people(self) -> pd.DataFrame:
        people = self.session.results["reps"]
        people = people[people["left_on"].isna() & (people["rep_id"] != self.session.reader.person)]
        people = people[people["role"].fillna("rep") == "rep"]
        verdicts = self.session.results["coaching_verdicts"].drop(columns="as_of", errors="ignore")
        both = people.merge(verdicts, on="rep_id", how="left")
        return both.sort_values("name", key=lambda names: names.fillna("").str.casefold(), ignore_index=True)

    def _choice(self) -> Markup:
        t = self.t
        options = [("", t("coaching_page.everybody"))]
        options += [(row["rep_id"], str(row["name"])) for row in self._people.to_dict("records")]
        chosen = self.reading.key if self.reading else ""
        return chooser(t, "coaching", {"rep": (t("coaching_page.choose"), options, chosen)})

    def _headline(self) -> Iterator[Markup]:
        t, wanted = self.t, self.session.asked.get("rep", "")
        day = t("common.data_as_of", day=self.session.results.manifest.as_of)
        if wanted and self.reading is None:
            yield state(t("coaching_page.title"), t("coaching_page.not_found"), t("page.state.no_access_remedy"))
            return
        if self.reading is None:
            n = int(self._people["topic"].notna().sum()) if len(self._people) else 0
            yield top(self.session, day, t.html("coaching_page.headline", n=n), lede(t("coaching_page.intro")),
                      self._choice())  # fmt: skip
            yield self._everybody()
            return
        name = Markup("<bdi>{}</bdi>").format(self.reading.name)
        found = topic.topic(self.reading)
        title = (
            t.html("coaching_page.topic_of", name=name, topic=topic_of(t, _verdict(self.reading)))
            if found is not None
            else t.html("coaching_page.no_topic", name=name)
        )
        yield top(self.session, day, title, lede(t("coaching_page.hypothesis")), self._choice())

    def _everybody(self) -> Markup:
        items = join(self._line(row) for row in self._people.to_dict("records"))
        body = Markup('<ol class="people">{}</ol>').format(items) if items else self.t("page.state.empty")
        return cards([section("everybody", self.t("coaching_page.everybody"), body)])

    def _line(self, row: dict[Any, Any]) -> Markup:
        t, settings = self.t, self.session.workspace.settings
        what = (
            t.html("my_team.topic", topic=topic_of(t, row))
            if isinstance(row["topic"], str)
            else t(f"coaching_page.verdicts.{row['verdict'] if row['verdict'] in VERDICTS else 'not_enough_data'}")
        )
        talk = next_one_to_one(
            self.session.results["coaching_sessions"], row["rep_id"], self.session.results.manifest.as_of,
            FiscalCalendar.of(settings.calendar), settings.coaching.one_to_one_every_days,
        )  # fmt: skip
        return Markup('<li><h3><a href="{}"><bdi>{}</bdi></a></h3><p>{}</p><p class="soft">{}</p></li>').format(
            link("coaching", rep=row["rep_id"]), row["name"], what, t("my_team.next_talk", day=talk)
        )

    def _talk(self) -> Iterator[Markup]:
        if self.reading is None:
            return
        t, found = self.t, topic.topic(self.reading)
        signal = str(found["signal"]) if found is not None else ""
        about = self.reading.key
        yield cards(
            [section("one-thing", t("coaching_page.topic"), topic.in_short(self.reading)), self.report.agreements],
            [section("well", t("report.well.heading"), praise(self.reading)),
             section("write", t("coaching_page.write"), writing(t, about, signal), intro=t("coaching_page.write_intro"))
             if self._leads(about) else "",
             go(link("deals", rep=about), t("coaching_page.to_deals"))],
        )  # fmt: skip

    def _leads(self, rep_id: str) -> bool:
        reader = self.session.reader
        return reader.role in ("manager", "executive") and rep_id != reader.person

    def _behind(self) -> Iterator[Markup]:
        if self.reading is None:
            return
        yield cards([self.report.topic_in_detail, self.report.gap], [self.report.others, self.report.detectable])


def _verdict(reading: PageReading) -> dict[Any, Any]:
    return reading["coaching_verdicts"].to_dict("records")[0]


def coaching(session: Session) -> Coaching:
    """The coaching page, of a line or of one person.

    Parameters
    ----------
    session : Session
        Who looks, the published results within what he may see, and whom the address names (``rep``).
    """
    return Coaching(session)
