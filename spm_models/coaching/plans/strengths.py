"""What went well, said of deals and figures: true, recent, and never more than the numbers carry."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from spm_models.coaching.plans.said import FEWEST, Rows, Said, largest
from spm_models.coaching.signals import SILENT_DAYS

MOST = 2
_LEAST_SHARE = 0.6
_SHARES = {"win_rate": 2, "stage_conversion": 2, "follow_up": 2, "focus": 2, "price_kept": 3}


def strengths(rows: Rows, findings: pd.DataFrame) -> Iterator[Said]:
    """At most two sentences: what is above what was to be expected, then what was seen in deals.

    Parameters
    ----------
    rows : Rows
    findings : DataFrame
        The rep's rows of ``coaching_findings`` that are going well, surest first.
    """
    said = 0
    for finding in findings.to_dict("records"):
        if said < MOST:
            yield _above(finding, rows)
            said += 1
    for sentence in (_kept_in_touch, _last_won):
        if said < MOST and (found := sentence(rows)) is not None:
            yield found
            said += 1


def _above(finding: dict[object, object], rows: Rows) -> Said:
    """The figures of a finding that is surely above what was expected."""
    signal, part = str(finding["signal"]), str(finding["part"])
    actual, expected = float(str(finding["actual"])), float(str(finding["expected"]))
    won = rows.recent(rows.own[rows.own["won"]], fewest=1)
    values: dict[str, float | int | str]
    deals: tuple[str, ...] = ()
    if signal in _SHARES:
        values = {"share": round(actual, _SHARES[signal]), "beside_share": round(expected, _SHARES[signal])}
        deals = largest(won) if signal in ("win_rate", "stage_conversion") else ()
    elif signal == "cycle":
        values = {"days": round(actual), "beside_days": round(expected)}
        deals = tuple(won.sort_values(["days", "opportunity_id"])["opportunity_id"].head(3))
    elif signal == "deal_size":
        values, deals = {"amount": round(actual), "beside_amount": round(expected)}, largest(won)
    elif signal == "trend":
        values = {"change": round(actual - 1, 2), "beside_change": round(expected - 1, 2)}
    else:
        values = {"pace": round(actual, 1), "beside_pace": round(expected, 1)}
    if part:
        values["stage"] = part
    return Said(signal, values, deals, signal, part)


def _kept_in_touch(rows: Rows) -> Said | None:
    """Won deals that were never left for more than three weeks."""
    won = rows.own[rows.own["won"] & rows.own["longest_silence"].notna() & rows.own["days"].gt(SILENT_DAYS)]
    won = rows.recent(won)
    kept = won[won["longest_silence"] <= SILENT_DAYS]
    if len(won) < FEWEST or len(kept) < _LEAST_SHARE * len(won):
        return None
    return Said("kept_in_touch", {"k": len(kept), "n": len(won), "limit_days": SILENT_DAYS,
                                  "since": rows.since(won)}, largest(kept), "follow_up")  # fmt: skip


def _last_won(rows: Rows) -> Said | None:
    """The largest deal won lately."""
    won = rows.recent(rows.own[rows.own["won"] & rows.own["amount"].gt(0)], fewest=1)
    if won.empty:
        return None
    best = won.sort_values(["amount", "opportunity_id"], ascending=[False, True]).iloc[0]
    return Said("won_deal", {"amount": round(float(best["amount"]), 2), "day": str(best["closed_on"].date())},
                (str(best["opportunity_id"]),), "win_rate")  # fmt: skip
