"""Today: what needs its reader now, instead of a list of files; nothing is a state as well, and a good one."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
from markupsafe import Markup

from spm_models.apps.my_team_people import unanswered
from spm_models.apps.pages import link
from spm_models.apps.parts import cards, go, join, lede, section, top
from spm_models.apps.pieces import Pieces
from spm_models.apps.reading import PageReading, of_line, of_rep
from spm_models.apps.session import Session
from spm_models.apps.stuck import named, stuck_list
from spm_models.coaching.people.rhythm import WEEKS
from spm_models.journal import Journal
from spm_models.reports.parts import bullets, paragraph
from spm_models.reports.reading import begun
from spm_models.reports.rhythm import waiting
from spm_models.reports.today import in_turn, prompt_line

PROMPTS, DEALS, PROMISES = 5, 3, 5


class Home:
    """The page in one part."""

    def __init__(self, session: Session) -> None:
        self.session, self.t = session, session.reader.translator

    @property
    def today(self) -> Pieces:
        """What needs the reader, a card each."""
        return Pieces(self._today)

    def _today(self) -> Iterator[Markup]:
        t, reader = self.t, self.session.reader
        reading = self._reading()
        made = [card for card in (self._yesterday(), *self._promised(reading), self._stuck(), self._data()) if card]
        day = t("common.data_as_of", day=self.session.results.manifest.as_of)
        title = t("home.headline", n=len(made)) if made else t("home.nothing")
        people = self.session.results["reps"].set_index("rep_id")["name"]
        hello = t.html("home.hello", name=people.get(reader.person, reader.person))
        yield top(self.session, day, title, lede(hello))
        yield cards(made[::2], made[1::2])

    def _reading(self) -> PageReading | None:
        reader = self.session.reader
        if reader.role == "rep":
            return of_rep(self.session, reader.person)
        return of_line(self.session) if reader.role == "manager" else None

    def _yesterday(self) -> Markup:
        """What happened on the last working day and deserves a word."""
        t, rows = self.t, in_turn(self.session.results["prompts"])
        if rows.empty:
            return Markup("")
        people = self.session.results["reps"].set_index("rep_id")["name"]
        own = self.session.reader.role == "rep"
        lines = [
            prompt_line(t, row) if own
            else Markup("<b><bdi>{}</bdi></b> {}").format(people.get(row["rep_id"], row["rep_id"]), prompt_line(t, row))
            for row in rows.head(PROMPTS).to_dict("records")
        ]  # fmt: skip
        return section("yesterday", t("managers.today"), bullets(lines))

    def _promised(self, reading: PageReading | None) -> Iterator[Markup]:
        """Agreements past their day, and answers that wait."""
        t = self.t
        if reading is None:
            return
        if reading.level == "manager":
            rows = waiting(reading)
            address = "coaching"
        else:
            mine = reading["agreed_actions"]
            recent = mine["held_on"] > reading.as_of - pd.Timedelta(weeks=WEEKS)
            rows = mine[(mine["rep_id"] == reading.key) & (mine["state"] == "open") & recent
                        & (mine["due_on"] <= reading.as_of + pd.Timedelta(days=7))]  # fmt: skip
            address = "my-performance"
        if len(rows):
            names = reading["reps"].set_index("rep_id")["name"]
            lines = [
                t.html("home.promise", name=names.get(row["rep_id"], row["rep_id"]), action=begun(row["action"]),
                       day=row["due_on"].date())
                for row in rows.drop_duplicates("rep_id" if reading.level == "manager" else "action").head(PROMISES)
                .to_dict("records")
            ]  # fmt: skip
            yield section("promises", t("home.promises"), bullets(lines), go(link(address), t("home.open")))
        if reading.level == "manager":
            yield self._answers(reading)

    def _answers(self, reading: PageReading) -> Markup:
        t, people = self.t, reading["reps"]
        names = dict(zip(people["rep_id"], people["name"], strict=True))
        lines = [
            Markup('<a href="{}"><bdi>{}</bdi></a>: {}').format(
                link("coaching", rep=rep), names[rep] or rep, begun(one.body["text"])
            )
            for rep in people["rep_id"]
            for one in unanswered(reading, rep)
        ]
        return section("answers", t("home.answers"), bullets(lines)) if lines else Markup("")

    def _stuck(self) -> Markup:
        t, results = self.t, self.session.results
        rows = named(results["stuck_deals"], results["deal_scores"], results["reps"]).head(DEALS)
        if rows.empty:
            return Markup("")
        body = stuck_list(t, rows, results["stuck_reasons"])
        return section("stuck", t("my_team.deals"), body, go(link("deals", view="stuck"), t("my_team.to_deals")))

    def _data(self) -> Markup:
        """For analysts: rules that the data break, and corrections that people asked for."""
        t = self.t
        if self.session.reader.role != "analyst":
            return Markup("")
        broken, asked = len(self.session.results["data_quality"]), 0
        if self.session.workspace.has_journal:
            journal = Journal(self.session.workspace, self.session.reader.scope)
            asked = len(journal.current(kind="correction"))
            journal.close()
        lines = [t("data_health.headline", n=broken) if broken else t("data_health.all_well")]
        lines += [t("home.corrections", n=asked)] if asked else []
        return section("data", t("pages.titles.data_health"), join(paragraph(line) for line in lines),
                       go(link("data-health"), t("home.open")))  # fmt: skip


def home(session: Session) -> Home:
    """The first page of everybody.

    Parameters
    ----------
    session : Session
        Who looks, and the published results within what he may see.
    """
    return Home(session)
