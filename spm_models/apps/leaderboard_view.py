"""Leaderboard, team board and badges: only where a company turned them on, with ranges of places instead of ranks."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from spm_models.apps.pages import turned_on
from spm_models.apps.parts import cards, lede, section, state, top
from spm_models.apps.pieces import Pieces
from spm_models.apps.reading import of_company, of_line, of_rep
from spm_models.apps.session import Session
from spm_models.reports.team_play import badges, board
from spm_models.reports.team_play import leaderboard as places


class Leaderboard:
    """The page in one part."""

    def __init__(self, session: Session) -> None:
        self.session, self.t = session, session.reader.translator

    @property
    def all(self) -> Pieces:
        """What is to celebrate, the team's goal, and the places that the figures allow."""
        return Pieces(self._all)

    def _all(self) -> Iterator[Markup]:
        t, reader = self.t, self.session.reader
        if "leaderboard" not in turned_on(self.session.workspace.settings):
            yield state(t("pages.titles.leaderboard"), t("leaderboard_page.off"))
            return
        level = reader.scope.level
        reading = (
            of_company(self.session) if level == "company"
            else of_rep(self.session, reader.person) if level == "rep"
            else of_line(self.session)
        )  # fmt: skip
        day = t("common.data_as_of", day=self.session.results.manifest.as_of)
        yield top(self.session, day, t("leaderboard_page.title"), lede(t("leaderboard_page.intro")))
        shown = [] if reading is None else [badges(reading), board(reading), places(reading)]
        made = [
            section(f"part-{place}", t("pages.titles.leaderboard"), part) for place, part in enumerate(shown) if part
        ]
        yield cards(made) if made else state(t("leaderboard_page.title"), t("page.state.empty"))


def leaderboard(session: Session) -> Leaderboard:
    """The page of places, badges and the team's board.

    Parameters
    ----------
    session : Session
        Who looks, and the published results within what he may see.
    """
    return Leaderboard(session)
