"""Deals and their reasons as plain text, to be read aloud: the test of whether a newcomer understands them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from spm_models.reports.beside import Beside, methods_note, sum_words, trend_words
from spm_models.reports.why import sentence
from spm_models.reports.words import account_of, chance_words
from spm_models.translations import Translator
from spm_models.translations.locales import Clause

_NO_TREND = {"opportunity_id": "str", "as_of": "datetime64[s]", "win_probability": "float64"}
_NO_VIEWS = {"opportunity_id": "str"}


class Told(str):
    """Text that a notebook shows line by line."""

    __slots__ = ()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))


def reading(results: Mapping[str, pd.DataFrame], locale: str, number: int = 10, *, currency: str = "TRY") -> Told:
    """Open deals with their win probability and its reasons, from the likeliest to the least likely.

    Parameters
    ----------
    results : mapping of str to DataFrame
        ``deal_scores`` and ``deal_reasons``; ``deal_trend`` where there is one. Published results will do, and so will
        ``{"deal_scores": scores.table, "deal_reasons": scores.reasons}`` of
        :class:`~spm_models.win_probability.DealScores`.
    locale : {"en", "tr", "ar"}
    number : int
        Deals to read, spread evenly over all probabilities.
    currency : str
        The company's.

    Returns
    -------
    Told
        A text: two or more lines a deal, deals apart by an empty line.

    Examples
    --------
    >>> scores = pd.DataFrame({"opportunity_id": ["o1"], "stage": ["Offer"], "win_probability": [0.42], "low": [0.3],
    ...                        "high": [0.55], "amount": [9000.0], "scored_by": ["model"]})
    >>> why = pd.DataFrame({"opportunity_id": "o1", "rank": [0, 1], "feature": ["typical_deal", "activity_recency"],
    ...                     "fact": ["", "days_since_activity"], "value": ["", "24"], "typical": ["", "12"],
    ...                     "contribution": [0.0, -0.3], "points": [0.5, -0.08]})
    >>> print(reading({"deal_scores": scores, "deal_reasons": why}, "en", currency="EUR"))
    o1, Offer, €9K: 42%, between 30% and 55%
      Speaks against: Quiet for 24 days, twice as long as won deals at this stage: −8 points
      A usual deal here: 50%. Everything not shown: 0 points. This deal: 42%.
    """
    t = Translator(locale, currency=currency)
    scores = results["deal_scores"].dropna(subset="win_probability")
    ordered = scores.sort_values(["win_probability", "opportunity_id"], ascending=[False, True], ignore_index=True)
    step = max(len(ordered) - 1, 0) / max(number - 1, 1)
    picked = ordered.iloc[sorted({round(place * step) for place in range(min(number, len(ordered)))})]
    beside = Beside(
        results["deal_reasons"],
        results["deal_trend"] if "deal_trend" in results else _empty(_NO_TREND),
        _empty(_NO_VIEWS),
    )
    told = ["\n".join(_lines(t, deal, beside)) for deal in picked.to_dict("records")]
    note = methods_note(t, picked)
    return Told("\n\n".join([*told, note] if note else told))


def _empty(columns: Mapping[str, str]) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in columns.items()})


def _lines(t: Translator, deal: Mapping[Any, Any], beside: Beside) -> Iterator[str]:
    worth = t("deal.no_amount") if pd.isna(deal["amount"]) else t.compact_money(deal["amount"])
    stage = deal["stage"] if isinstance(deal["stage"], str) else ""
    said = [chance_words(t, deal["win_probability"])]
    if not pd.isna(deal["low"]):
        said.append(Clause(t("chance.between", low=t.percent(deal["low"]), high=t.percent(deal["high"]))))
    past = beside.past(deal)
    if len(past) > 1:
        said.append(Clause(trend_words(t, past)))
    comma = "، " if t.locale == "ar" else ", "
    yield f"{comma.join(filter(None, (account_of(deal), stage, worth)))}: {comma.join(said)}"
    shown = beside.why(deal)
    for side, reasons in zip(("for", "against"), shown, strict=True):
        for reason in reasons:
            said_line = Clause(sentence(t, reason, at_stage=bool(stage)))
            yield "  " + t("common.list_of", label=Clause(t(f"deal.reasons_{side}")), value=said_line)
    line = sum_words(t, beside, deal, [*shown[0], *shown[1]])
    if line and any(shown):
        yield "  " + line
