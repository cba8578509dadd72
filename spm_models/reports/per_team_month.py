"""A team's month for its manager: what it brought, who moved forward, coaching and its effect, what comes next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

import pandas as pd
from markupsafe import Markup

from spm_models.reports import behind
from spm_models.reports.coached import causes_counted, measured, shared_topics
from spm_models.reports.month import Month
from spm_models.reports.month_parts import figures, headline, months_picture
from spm_models.reports.parts import Part, bullets, heading, join, paragraph, section, tile, tiles
from spm_models.reports.reading import Reading, read_team, write_record
from spm_models.reports.strategy import strategy
from spm_models.reports.words import pinned_words, signal_name, signal_value, topic_of

IMPROVED = 6


class TeamMonthly:
    """Sections of a team's monthly report; each shows itself in a notebook.

    Parameters
    ----------
    reading : Reading
        Results narrowed to the manager's reporting line.
    environ : mapping, optional
        Where :meth:`finish` looks for ``SPM_RESULT``, instead of this process's environment.
    """

    SECTIONS = ("header", "month", "improved", "causes", "coaching", "agreements", "focus", "strategy", "data")

    def __init__(self, reading: Reading, environ: Mapping[str, str] | None = None) -> None:
        self.reading, self.t, self.environ = reading, reading.t, environ
        self.shown: list[str] = []
        self._month = Month(reading)

    @cached_property
    def _names(self) -> dict[str, str]:
        return behind.names(self.reading)

    @property
    def header(self) -> Part:
        """Whose team, and which month."""
        t = self.t
        eyebrow = t.html("digest.subtitle", period=t.period(self._month.label), day=self.reading.as_of)
        return self._show("header", heading(eyebrow, t.html("monthly.title", name=self.reading.name)))

    @property
    def month(self) -> Part:
        """What was won, lost and created, beside what was expected and the month before."""
        t, month = self.t, self._month
        return self._section("month", headline(t, month), figures(t, month), months_picture(t, month))

    @property
    def improved(self) -> Part:
        """Who moved forward, by changes that hold beyond chance."""
        t, lines = self.t, [*self._faster(), *self._seen(), *self._no_longer()][:IMPROVED]
        body = bullets(lines, "good") if lines else paragraph(t("monthly.improved_none"))
        return self._section("improved", body, paragraph(t("monthly.improved_note"), "note"))

    def _faster(self) -> Iterator[Markup]:
        rows = self.reading["coaching_findings"].query("signal == 'trend' and verdict == 'doing_well'")
        for row in rows.sort_values("rep_id").to_dict("records"):
            actual, expected = (signal_value(self.t, "trend", row[name]) for name in ("actual", "expected"))
            yield self.t.html("digest.well.line", name=self._name(row["rep_id"]), signal=signal_name(self.t, "trend"),
                              actual=actual, expected=expected)  # fmt: skip

    def _seen(self) -> Iterator[Markup]:
        t, rows = self.t, self.reading["observations"].query("trend_low > 0")
        for row in rows.sort_values(["rep_id", "skill"]).to_dict("records"):
            span = t.range(t.number(row["trend_low"], 1), t.number(row["trend_high"], 1))
            skill, points = t.name("people.skills", row["skill"]), t.number(row["trend"], 1, signed=True)
            yield t.html(
                "monthly.improved_seen", name=self._name(row["rep_id"]), skill=skill, points=points, range=span
            )

    def _no_longer(self) -> Iterator[Markup]:
        """Topics that a kept run of the month's beginning had, and this one has not."""
        past = self._month.past
        if past is None:
            return
        now = self.reading["coaching_verdicts"].set_index("rep_id")["topic"]
        for row in past["coaching_verdicts"].dropna(subset="topic").sort_values("rep_id").to_dict("records"):
            if row["rep_id"] in now.index and now[row["rep_id"]] != row["topic"]:
                topic = topic_of(self.t, row)
                yield self.t.html("monthly.improved_topic", name=self._name(row["rep_id"]), topic=topic)

    def _name(self, rep_id: str) -> str:
        return self._names.get(rep_id, rep_id)

    @property
    def causes(self) -> Part:
        """Causes behind the suggestions, as counts of topics."""
        return self._section("causes", causes_counted(self.reading))

    @property
    def coaching(self) -> Part:
        """Sessions of the month, and what coaching measurably brought in the company."""
        t, rows = self.t, self._of_month(self.reading.sessions, "held_on")
        people = self.reading["coaching_verdicts"]["rep_id"].nunique()
        items = [
            tile(t("monthly.sessions"), t.number(len(rows))),
            tile(t("monthly.people_met"), t("common.share_of", part=t.number(rows["rep_id"].nunique()),
                                            whole=t.number(max(people, rows["rep_id"].nunique())))),
        ]  # fmt: skip
        kinds = rows["kind"].fillna("").value_counts().sort_index()
        said = [t("common.list_of", label=t.name("session_kinds", kind), value=t.number(int(n)))
                for kind, n in kinds.items() if kind]  # fmt: skip
        body = [tiles(items), *([paragraph(t.list(said), "note")] if said else []), measured(self.reading)]
        return self._section("coaching", *body)

    @property
    def agreements(self) -> Part:
        """What was due in the month, and what became of it."""
        t, rows = self.t, self._of_month(self.reading["agreed_actions"], "due_on")
        if rows.empty:
            return self._section("agreements", paragraph(t("monthly.agreed_none")))
        states = rows["state"].value_counts()
        items = [tile(t("monthly.agreed_due"), t.number(len(rows)))]
        items += [
            tile(t(f"monthly.agreed_{state}"), t.number(int(states.get(state, 0))))
            for state in ("done", "dropped", "open")
        ]
        note = [paragraph(t("monthly.agreed_note"), "note")] if states.get("open", 0) else []
        return self._section("agreements", tiles(items), *note)

    def _of_month(self, frame: pd.DataFrame, day: str) -> pd.DataFrame:
        own: pd.DataFrame = frame[frame[day].dt.to_period("M") == self._month.period]
        return own

    @property
    def focus(self) -> Part:
        """The topic that most share, with a step to take together, and what the next month should bring."""
        t, topics = self.t, shared_topics(self.reading)
        body: list[object] = []
        if len(topics):
            first = topics.iloc[0]
            n, worth = t("monthly.topics", n=int(first["n"])), t.money(first["amount"])
            body.append(paragraph(t.html("monthly.focus_topic", topic=first["name"], topics=n, amount=worth), "lede"))
            if t.has(f"signals.{first['topic']}.step"):
                body.append(paragraph(t(f"signals.{first['topic']}.step")))
        else:
            body.append(paragraph(t("monthly.focus_none")))
        return self._section("focus", *body, *self._ahead())

    def _ahead(self) -> Iterator[Markup]:
        t, month, ahead = self.t, self._month, self._month.ahead
        if ahead is None:
            return
        first = month.period + 1
        scores = self.reading["deal_scores"]
        due = scores[scores["expected_close_on"].dt.to_period("M") == first]
        low, mean, high = map(t.compact_money, ahead)
        yield tiles([
            tile(t("monthly.ahead", period=t.period(str(first))), mean, t.range(low, high)),
            tile(t("monthly.ahead_due", period=t.period(str(first))), t.compact_money(due["amount"].sum()),
                 t("common.open_deals", n=len(due))),
        ])  # fmt: skip

    @property
    def strategy(self) -> Part:
        """What the figures suggest beyond single talks, as questions."""
        return self._show("strategy", section("strategy", self.t("strategy.heading"), strategy(self.reading)))

    @property
    def data(self) -> Part:
        """Which data, and what is not in them."""
        t, reading = self.t, self.reading
        lines = [t("report.data.as_of", day=reading.as_of), t("monthly.of_owners"), t("coaching.context_adjusted"),
                 t("report.data.not_used")]  # fmt: skip
        pinned = pinned_words(t, reading.results.manifest.parameters)
        lines += [pinned] if pinned else []
        return self._show("data", section("data", t("report.data.provenance"), bullets(lines, "facts")))

    def finish(self) -> None:
        """Write the result record: the report's own word that it came to its end."""
        missing = [name for name in self.SECTIONS if name not in self.shown]
        write_record(
            {"report": "team_monthly", "about": self.reading.key, "run_id": self.reading.results.manifest.run_id,
             "as_of": self.reading.results.manifest.as_of.isoformat(), "locale": self.t.locale,
             "sections": self.shown, "ok": not missing},
            self.environ,
        )  # fmt: skip

    def _section(self, name: str, *content: object) -> Part:
        return self._show(name, section(name, self.t(f"monthly.{name}"), join(content)))

    def _show(self, name: str, part: Part) -> Part:
        if name not in self.shown:
            self.shown.append(name)
        return part


def team_monthly(
    workspace: str, manager_id: str, locale: str = "", run_id: str = "", *, environ: Mapping[str, str] | None = None
) -> TeamMonthly:
    """The month of a manager's team; parameters and errors as for :func:`~spm_models.reports.coaching_report`."""
    return TeamMonthly(read_team(workspace, manager_id, locale, run_id, environ), environ)
