"""The coaching report of one rep: a page that can be read in three minutes, then what stands behind it.

The first page keeps the order in which rep and manager would talk; on paper it is one sheet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import pandas as pd
from markupsafe import Markup

from spm_models.reports import behind, standing, topic
from spm_models.reports import others as seen_by_others
from spm_models.reports.agreements import agreements as agreed
from spm_models.reports.beside import Beside, methods_note
from spm_models.reports.deals import deal_card, deal_line, deal_table
from spm_models.reports.early_warning import early_warning
from spm_models.reports.findings import detectable, praise
from spm_models.reports.outlook import top_deals
from spm_models.reports.parts import Part, bullets, heading, join, paragraph, section
from spm_models.reports.reading import Reading, read_rep, write_record
from spm_models.reports.team_play import badges, board, leaderboard
from spm_models.reports.words import pinned_words

LINES, DEALS = 3, 5  #: open deals on the first page, and with their reasons


class CoachingReport:
    """Sections of a rep's report; each shows itself in a notebook.

    Parameters
    ----------
    reading : Reading
        Results narrowed to the rep.
    environ : mapping, optional
        Where :meth:`finish` looks for ``SPM_RESULT``, instead of this process's environment.
    """

    FRONT = ("header", "where_i_stand", "what_went_well", "this_weeks_deals", "one_thing", "agreements", "data")
    DETAIL = ("deals_in_detail", "topic_in_detail", "gap", "team", "others", "detectable", "record")
    SECTIONS = (*FRONT, *DETAIL)

    def __init__(self, reading: Reading, environ: Mapping[str, str] | None = None) -> None:
        self.reading, self.t, self.environ = reading, reading.t, environ
        self.shown: list[str] = []

    @cached_property
    def _outlook(self) -> Any:
        return self.reading.outlook()

    @property
    def header(self) -> Part:
        """Whom the report is for, and when."""
        t = self.t
        period = t.period(self._outlook.period) if self._outlook else self.reading.workspace.settings.company.name
        eyebrow = t.html("report.subtitle", period=period, day=self.reading.as_of)
        title = t.html("report.title", name=self.reading.name)
        return self._show("header", heading(eyebrow, title, t("report.for_you_first")))

    @property
    def where_i_stand(self) -> Part:
        """Closed, expected, the chance of each quota tier, the path to target."""
        t, o = self.t, self._outlook
        body = (
            [paragraph(t("report.where.no_forecast"))]
            if o is None
            else [standing.headline(t, o), standing.figures(t, o, ["standard"]), standing.picture(t, o, "range"),
                  standing.path_to_target(self.reading, o)]
        )  # fmt: skip
        return self._section("where_i_stand", "where", *body)

    @property
    def what_went_well(self) -> Part:
        """What deserves a word of praise."""
        return self._section("what_went_well", "well", praise(self.reading))

    @property
    def this_weeks_deals(self) -> Part:
        """The open deals with the most at stake, in a line each."""
        t, deals = self.t, self._deals
        if deals.empty:
            return self._section("this_weeks_deals", "deals", paragraph(t("report.deals.none")))
        lines = bullets((deal_line(t, deal) for deal in deals.head(LINES).to_dict("records")), "lines")
        return self._section("this_weeks_deals", "deals", lines)

    @property
    def deals_in_detail(self) -> Part:
        """Open deals with what speaks for and against each."""
        t, deals = self.t, self._deals
        if deals.empty:
            return self._show("deals_in_detail", Part(""))
        beside = Beside.of(self.reading)
        cards = join(deal_card(t, deal, beside) for deal in deals.head(DEALS).to_dict("records"))
        note = methods_note(t, deals)
        body = [Markup('<ol class="deals">{}</ol>').format(cards)]
        body += [paragraph(note, "note")] if note else []
        more = len(deals) - DEALS
        body += [paragraph(t("report.deals.more", n=more), "note")] if more > 0 else []
        body.append(deal_table(t, deals))
        part = section("deals-in-detail", t("report.deals.detail"), *body, intro=t("report.deals.intro"))
        return self._show("deals_in_detail", part)

    @cached_property
    def _deals(self) -> pd.DataFrame:
        end = self._outlook.period_end if self._outlook else self.reading.as_of
        everything = len(self.reading["deal_scores"])
        return top_deals({"deal_scores": self.reading["deal_scores"]}, end, n=everything)

    @property
    def one_thing(self) -> Part:
        """The one thing to work on, or why there is none."""
        return self._section("one_thing", "focus", topic.in_short(self.reading))

    @property
    def topic_in_detail(self) -> Part:
        """What stands behind the one thing: question, what deals show, possible causes, a plan."""
        return self._if_any("topic_in_detail", self.t("report.focus.detail"), topic.in_detail(self.reading))

    @property
    def gap(self) -> Part:
        """From a typical colleague to what was sold, in money."""
        t = self.t
        return self._show("gap", section("gap", t("gap.heading"), behind.gap(self.reading), intro=t("gap.intro")))

    @property
    def team(self) -> Part:
        """Badges, the team's goal and possible places, where the company turned them on."""
        shown = [badges(self.reading), board(self.reading), leaderboard(self.reading)]
        return self._if_any("team", self.t("report.team.heading"), join(shown))

    @property
    def others(self) -> Part:
        """How others see the rep."""
        t, body = self.t, seen_by_others.others(self.reading)
        return self._show("others", section("others", t("others.heading"), body, intro=t("others.intro")))

    @property
    def detectable(self) -> Part:
        """What could have been seen with these data, and what may have changed of late."""
        body = [detectable(self.reading), early_warning(self.reading)]
        return self._section("detectable", "detect", *body, intro=self.t("report.detect.intro"))

    @property
    def agreements(self) -> Part:
        """What was agreed last, and an agenda for the next talk."""
        shown = agreed(self.reading, behind.names(self.reading), deals=len(self._deals) > 0)
        return self._section("agreements", "agreements", shown)

    @property
    def data(self) -> Part:
        """How fresh the data are, and how to correct or answer."""
        t = self.t
        lines = [t("report.data.as_of", day=self.reading.as_of), t("report.data.correct"), t("report.data.reply")]
        return self._section("data", "data", paragraph(" ".join(lines), "soft"))

    @property
    def record(self) -> Part:
        """Which data were used, and who may read this."""
        t = self.t
        answers = [
            t.html("report.data.your_reply", day=entry.written_at.date(), text=entry.body["text"])
            for entry in self.reading.replies(self.reading.key)
        ]
        lines = [*self._used(), *answers, t("report.data.seen_by")]
        return self._section("record", "used", bullets(lines, "facts"))

    def _used(self) -> Iterator[object]:
        t, reading = self.t, self.reading
        yield t("report.data.open", deals=t("common.open_deals", n=len(self._deals)), day=reading.as_of)
        closed = reading["closed_deals"]
        if len(closed):
            n = t("common.closed_deals", n=len(closed))
            yield t("report.data.closed", deals=n, day=closed["closed_on"].min())
        done = reading["kpis"].query("kpi == 'activities' and level == 'rep' and key == @reading.key")
        for row in done.to_dict("records"):
            n = t("common.activities", n=0 if pd.isna(row["value"]) else round(row["value"]))
            yield t("report.data.activities", activities=n, period=t.period(row["period"]))
        yield t("coaching.context_adjusted")
        mixed = [note.rsplit(": ", 1)[-1] for note in reading.notes("coaching") if "not told apart" in note]
        if mixed:
            yield t.html("report.data.inseparable", names=t.list(t.name("context", name) for name in mixed))
        if pinned := pinned_words(t, reading.results.manifest.parameters):
            yield pinned
        if "missing: opportunity_history" in reading.notes("data"):
            yield t("report.data.no_history")
        yield t("report.data.not_used")

    def finish(self) -> None:
        """Write the result record: the report's own word that it came to its end."""
        missing = [name for name in self.SECTIONS if name not in self.shown]
        write_record(
            {"report": "coaching_report", "about": self.reading.key, "run_id": self.reading.results.manifest.run_id,
             "as_of": self.reading.results.manifest.as_of.isoformat(), "locale": self.t.locale,
             "sections": self.shown, "ok": not missing},
            self.environ,
        )  # fmt: skip

    def _if_any(self, name: str, title: str, body: Markup) -> Part:
        return self._show(name, section(name.replace("_", "-"), title, body) if body else Part(""))

    def _section(self, name: str, group: str, *content: object, intro: object = "") -> Part:
        return self._show(
            name, section(name.replace("_", "-"), self.t(f"report.{group}.heading"), *content, intro=intro)
        )

    def _show(self, name: str, part: Part) -> Part:
        if name not in self.shown:
            self.shown.append(name)
        return part


def coaching_report(
    workspace: str, rep_id: str, locale: str = "", run_id: str = "", *, environ: Mapping[str, str] | None = None
) -> CoachingReport:
    """The coaching report of one rep.

    Parameters
    ----------
    workspace : str
        Folder of the workspace; empty: found as usual.
    rep_id : str
    locale : str
        Language; empty: the company's.
    run_id : str
        Published run; empty: the current one.
    environ : mapping, optional
        Holds ``SPM_SCOPE`` and ``SPM_RESULT``; this process's environment without it.

    Raises
    ------
    AccessDeniedError
        When the scope does not hold this rep, or there is none.
    PublishedError
        When nothing was published yet.
    """
    return CoachingReport(read_rep(workspace, rep_id, locale, run_id, environ), environ)
