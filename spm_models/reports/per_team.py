"""The digest of a team for its manager, in the order of a week: standing, praise, words, talks, deals, own rhythm."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

import pandas as pd
from markupsafe import Markup

from spm_models.reports import behind, standing
from spm_models.reports import rhythm as own_rhythm
from spm_models.reports import talks as with_people
from spm_models.reports import today as of_the_day
from spm_models.reports.beside import Beside, methods_note
from spm_models.reports.deals import deal_card, deal_table
from spm_models.reports.early_warning import early_warnings_of_team
from spm_models.reports.export import Column
from spm_models.reports.findings import recent_wins
from spm_models.reports.outlook import Outlook, top_deals
from spm_models.reports.parts import (
    Part,
    bullets,
    chart,
    folded,
    heading,
    join,
    legend,
    paragraph,
    section,
    tile,
    tiles,
)
from spm_models.reports.reading import Reading, read_team, write_record
from spm_models.reports.team_play import badges, board, leaderboard
from spm_models.reports.words import account_of, attention, pinned_words, signal_name, signal_value

DEALS, PEOPLE, DRAWN = 5, 3, 14


class TeamDigest:
    """Sections of a team's digest; each shows itself in a notebook.

    Parameters
    ----------
    reading : Reading
        Results narrowed to the manager's reporting line.
    environ : mapping, optional
        Where :meth:`finish` looks for ``SPM_RESULT``, instead of this process's environment.
    """

    SECTIONS = ("header", "quarter", "what_went_well", "today", "talks", "deals", "rhythm", "next_quarter", "team",
                "data")  # fmt: skip

    def __init__(self, reading: Reading, environ: Mapping[str, str] | None = None) -> None:
        self.reading, self.t, self.environ = reading, reading.t, environ
        self.shown: list[str] = []

    @cached_property
    def _outlook(self) -> Outlook | None:
        return self.reading.outlook()

    @cached_property
    def _names(self) -> pd.Series:
        people = self.reading["reps"].set_index("rep_id")["name"]
        return people.fillna(people.index.to_series())

    def _name(self, rep_id: str) -> str:
        return str(self._names.get(rep_id, rep_id))

    @property
    def header(self) -> Part:
        """Whose team, and when."""
        t = self.t
        period = t.period(self._outlook.period) if self._outlook else self.reading.workspace.settings.company.name
        eyebrow = t.html("digest.subtitle", period=period, day=self.reading.as_of)
        return self._show("header", heading(eyebrow, t.html("digest.title", name=self.reading.name)))

    @property
    def quarter(self) -> Part:
        """Closed and forecast against quota, with range and chance."""
        t, o = self.t, self._outlook
        body = (
            [paragraph(t("digest.outlook.none"))]
            if o is None
            else [standing.headline(t, o), standing.figures(t, o), *self._no_quota(o), standing.picture(t, o, "range")]
        )
        return self._section("quarter", "outlook", *body)

    def _no_quota(self, o: Outlook) -> list[Markup]:
        return [] if o.quota("standard") > 0 else [paragraph(self.t("report.where.no_quota"), "note")]

    @property
    def what_went_well(self) -> Part:
        """Praise that can be said aloud: up to three people."""
        lines = list(self._praise())[:PEOPLE]
        said = bullets(lines, "good") if lines else paragraph(self.t("digest.well.none"))
        return self._section("what_went_well", "well", said, badges(self.reading))

    def _praise(self) -> Iterator[Markup]:
        t, named = self.t, set()
        verdicts = self.reading["coaching_verdicts"].dropna(subset="strength")
        found = self.reading["coaching_findings"].merge(
            verdicts[["rep_id", "strength", "strength_part"]].fillna({"strength_part": ""}),
            left_on=["rep_id", "signal", "part"],
            right_on=["rep_id", "strength", "strength_part"],
        )
        for row in found.sort_values(["probability_below", "rep_id"]).to_dict("records"):
            named.add(row["rep_id"])
            yield t.html(
                "digest.well.line", name=self._name(row["rep_id"]), signal=signal_name(t, row["signal"], row["part"]),
                actual=signal_value(t, row["signal"], row["actual"]),
                expected=signal_value(t, row["signal"], row["expected"]),
            )  # fmt: skip
        wins = recent_wins(self.reading).dropna(subset="amount").drop_duplicates("rep_id")
        for row in wins[~wins["rep_id"].isin(named)].to_dict("records"):
            name, amount = self._name(row["rep_id"]), t.money(row["amount"])
            yield t.html("digest.well.win", name=name, account=account_of(row), amount=amount)

    @property
    def deals(self) -> Part:
        """Open deals that need a word, by what is at stake."""
        t, deals = self.t, self._deals
        needing = deals[[bool(attention(deal)) for deal in deals.to_dict("records")]].head(DEALS)
        if needing.empty:
            body = [paragraph(t("digest.deals.none"))]
        else:
            beside = Beside.of(self.reading)
            rows = needing.to_dict("records")
            cards = join(deal_card(t, row, beside, who=self._name(row["rep_id"])) for row in rows)
            body = [Markup('<ol class="deals">{}</ol>').format(cards)]
        note = methods_note(t, deals)
        body += [paragraph(note, "note")] if note else []
        if len(deals):
            body.append(deal_table(t, deals, self._names))
        return self._section("deals", "deals", *body)

    @cached_property
    def _deals(self) -> pd.DataFrame:
        scores = self.reading["deal_scores"]
        end = self._outlook.period_end if self._outlook else self.reading.as_of
        return top_deals({"deal_scores": scores}, end, n=len(scores))

    @property
    def today(self) -> Part:
        """What happened on the last working day and deserves a word."""
        return self._titled("today", "managers.today", of_the_day.today(self.reading, self._known))

    @property
    def talks(self) -> Part:
        """Up to three people with a topic, what may be behind it and what could be agreed; what may have changed."""
        changed = early_warnings_of_team(self.reading)
        return self._section("talks", "talks", with_people.talks(self.reading, self._known), changed)

    @property
    def rhythm(self) -> Part:
        """The manager's own one-to-ones and agreements."""
        return self._titled("rhythm", "managers.rhythm", own_rhythm.rhythm(self.reading, self._known))

    @cached_property
    def _known(self) -> dict[str, str]:
        return behind.names(self.reading)

    @property
    def next_quarter(self) -> Part:
        """Coverage of the next quarter."""
        t, o = self.t, self.reading.outlook(1)
        if o is None:
            return self._section("next_quarter", "coverage", paragraph(t("digest.outlook.none")))
        period = t.period(o.period)
        rows = self.reading["forecast"].query("period == @o.period")
        scores = self._deals
        due = scores[scores["expected_close_on"].between(rows["period_start"].min(), o.period_end)]
        quota, amount = o.quota("standard"), float(due["amount"].sum())
        items = [
            tile(t("digest.coverage.open", period=period), t.compact_money(amount), t("common.open_deals", n=len(due))),
            tile(t("digest.coverage.expected", period=period), t.compact_money(o.total("mean")),
                 t.range(t.compact_money(o.total("p10")), t.compact_money(o.total("p90")))),
        ]  # fmt: skip
        if quota > 0:
            items.insert(1, tile(t("digest.coverage.quota", period=period), t.compact_money(quota)))
            items.insert(2, tile(t("digest.coverage.ratio"), f"{t.number(amount / quota, 1)} ×"))
        note = t("digest.coverage.note" if quota > 0 else "digest.coverage.no_quota")
        return self._section("next_quarter", "coverage", tiles(items), paragraph(note, "note"))

    @property
    def team(self) -> Part:
        """Everybody's forecast beside the quota, in alphabetical order."""
        t, o = self.t, self._outlook
        people = o.units[o.units["level"] == "rep"] if o else pd.DataFrame()
        if o is None or people.empty:
            return self._section("team", "reps", paragraph(t("digest.outlook.none")))
        people = people.sort_values(["label", "key"], key=lambda names: names.str.casefold(), ignore_index=True)
        columns = [
            Column("label", t("common.name")),
            Column("closed", t("parts.closed"), t.money, number=True),
            *(Column(name, t(f"forecast.{name}"), t.money, number=True) for name in ("mean", "p10", "p90")),
            Column("quota", t("forecast.quota"), t.money, number=True),
            Column("probability", t("forecast.probability"), t.percent, number=True),
        ]
        body = [self._drawn(people), folded(t, people, columns, t("digest.reps.heading"))]
        unsure = int((self.reading["coaching_verdicts"]["verdict"] == "not_enough_data").sum())
        body += [paragraph(t("digest.not_enough_data", n=unsure), "note")] if unsure else []
        return self._section("team", "reps", *body, board(self.reading), leaderboard(self.reading))

    def _drawn(self, people: pd.DataFrame) -> Markup:
        from spm_models.charts.outlook import units_chart

        t, shown = self.t, people.head(DRAWN)
        if not shown["p90"].max() > 0:
            return Markup("")
        marks = legend([("new", t("parts.closed")), ("range", t("common.range80")),
                        ("quota", t("outlook.standard_quota"))])  # fmt: skip
        rest = len(people) - len(shown)
        more = paragraph(t("outlook.units.more", n=rest), "note") if rest else ""
        return chart(
            "team", t("digest.outlook.chart"), t("digest.outlook.alt"),
            lambda width: units_chart(t, shown, width=width), marks, more,
        )  # fmt: skip

    @property
    def data(self) -> Part:
        """Which data, and what is not in them."""
        t, reading = self.t, self.reading
        lines = [t("report.data.as_of", day=reading.as_of), t("coaching.context_adjusted"), t("report.data.not_used")]
        pinned = pinned_words(t, reading.results.manifest.parameters)
        lines += [pinned] if pinned else []
        if "missing: opportunity_history" in reading.notes("data"):
            lines.append(t("report.data.no_history"))
        part = section("data", t("report.data.provenance"), bullets(lines, "facts"))
        return self._show("data", part)

    def finish(self) -> None:
        """Write the result record: the digest's own word that it came to its end."""
        missing = [name for name in self.SECTIONS if name not in self.shown]
        write_record(
            {"report": "team_digest", "about": self.reading.key, "run_id": self.reading.results.manifest.run_id,
             "as_of": self.reading.results.manifest.as_of.isoformat(), "locale": self.t.locale,
             "sections": self.shown, "ok": not missing},
            self.environ,
        )  # fmt: skip

    def _titled(self, name: str, key: str, *content: object) -> Part:
        return self._show(name, section(name, self.t(key), *content))

    def _section(self, name: str, group: str, *content: object) -> Part:
        return self._show(name, section(name.replace("_", "-"), self.t(f"digest.{group}.heading"), *content))

    def _show(self, name: str, part: Part) -> Part:
        if name not in self.shown:
            self.shown.append(name)
        return part


def team_digest(
    workspace: str, manager_id: str, locale: str = "", run_id: str = "", *, environ: Mapping[str, str] | None = None
) -> TeamDigest:
    """The digest of a manager's team; parameters and errors as for :func:`~spm_models.reports.coaching_report`."""
    return TeamDigest(read_team(workspace, manager_id, locale, run_id, environ), environ)
