"""What could change, said of behaviour in deals: counts and middle values, only where they are true and many enough.

Each signal has up to two sentences, each with alternatives in the order in which they are tried; the last ones state
the figures of the finding itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from spm_models.coaching.plans.said import FEWEST, Rows, Said, largest
from spm_models.coaching.signals import MARGIN, SILENT_DAYS

_LEAST_SHARE = 0.5  # a thing is said of deals when it holds for at least half of them
_FEWEST_OF_THEM = 3
_CLEARLY = 2 / 3  # won deals waited at most so much of the limit
_WEEKS = 13
Sentence = Callable[[Rows], Said | None]


def shortfalls(rows: Rows) -> Iterator[Said]:
    """Sentences about the finding of ``rows``: at most two, the most specific first."""
    signal, part = str(rows.finding["signal"]), str(rows.finding["part"])
    for alternatives in _SENTENCES.get(signal, ()):
        found = next((said for sentence in alternatives if (said := sentence(rows)) is not None), None)
        if found is not None:
            yield Said(found.sentence, found.values, found.deals, signal, part)


def _silence(rows: Rows) -> Said | None:
    """Lost deals that were silent for more than three weeks, beside won deals of this kind."""
    lost = rows.own[~rows.own["won"] & rows.own["longest_silence"].notna()]
    lost = rows.recent(lost)
    won = rows.won_of_this_kind(lost)["longest_silence"].dropna()
    silent = lost[lost["longest_silence"] > SILENT_DAYS]
    usual = float(won.median()) if len(won) else np.nan
    if len(lost) < FEWEST or len(won) < FEWEST or not usual <= _CLEARLY * SILENT_DAYS or not _many(silent, lost):
        return None
    return Said("silence", {"k": len(silent), "n": len(lost), "limit_days": SILENT_DAYS,
                            "beside_days": round(usual), "since": rows.since(lost)}, largest(silent))  # fmt: skip


def _waited_in_stage(rows: Rows) -> Said | None:
    """Deals that ended at the stage after a long stay in it, beside won deals of this kind."""
    stage = str(rows.finding["part"])
    stays = rows.stages[rows.stages["stage"] == stage]
    lost = rows.own.merge(stays.loc[~stays["advanced"], ["opportunity_id", "days"]].rename(
        columns={"days": "stay"}), on="opportunity_id")  # fmt: skip
    lost = rows.recent(lost)
    if len(lost) < FEWEST or rows.evidence.stages is None:
        return None
    won = rows.won_of_this_kind(lost)
    everybody = rows.evidence.stages[rows.evidence.stages["stage"] == stage]
    usual = everybody.loc[everybody["opportunity_id"].isin(won["opportunity_id"]), "days"]
    if len(usual) < FEWEST:
        return None
    limit = max(7, int(np.ceil(2 * usual.median())))
    long = lost[lost["stay"] > limit]
    if not _many(long, lost) or (usual > limit).mean() > len(long) / len(lost) / 2:
        return None
    return Said("stage_wait", {"k": len(long), "n": len(lost), "stage": stage, "limit_days": limit,
                               "beside_days": round(float(usual.median())), "since": rows.since(lost)},
                largest(long))  # fmt: skip


def _stage_share(rows: Rows) -> Said | None:
    stage = str(rows.finding["part"])
    stays = rows.stages[rows.stages["stage"] == stage]
    if len(stays) < FEWEST:
        return None
    ended = rows.own[rows.own["opportunity_id"].isin(stays.loc[~stays["advanced"], "opportunity_id"])]
    return Said("stage_share", {**_part(int(stays["advanced"].sum()), len(stays)), "stage": stage,
                                "beside_share": _expected(rows, 2)}, largest(ended))  # fmt: skip


def _win_share(rows: Rows) -> Said | None:
    if len(rows.own) < FEWEST:
        return None
    return Said("win_rate", {**_part(int(rows.own["won"].sum()), len(rows.own)), "beside_share": _expected(rows, 2)},
                largest(rows.recent(rows.own[~rows.own["won"]], fewest=1)))  # fmt: skip


def _follow_up_share(rows: Rows) -> Said | None:
    longer = rows.own[rows.own["longest_silence"].notna() & rows.own["days"].gt(SILENT_DAYS)]
    if len(longer) < FEWEST:
        return None
    silent = longer[longer["longest_silence"] > SILENT_DAYS]
    return Said("follow_up", {**_part(len(longer) - len(silent), len(longer)), "limit_days": SILENT_DAYS,
                              "beside_share": _expected(rows, 2)},
                largest(_lost_first(rows.recent(silent, fewest=1))))  # fmt: skip


def _slow_stage(rows: Rows) -> Said | None:
    """The stage in which the rep's deals spend most days beyond what deals of the same kind spend there."""
    if rows.evidence.stages is None or rows.stages.empty:
        return None
    everybody = rows.evidence.stages
    alike = everybody[(everybody["rep_id"] != rows.rep_id) & everybody["segment"].isin(rows.stages["segment"].unique())]
    own = rows.stages.groupby("stage")["days"].agg(["median", "size"])
    own["usual"] = alike.groupby("stage")["days"].median()
    own["more"] = own["median"] - own["usual"]
    own = own[(own["size"] >= FEWEST) & (own["more"] >= 3) & (own["median"] >= (1 + MARGIN) * own["usual"])]
    if own.empty:
        return None
    stage = str(own.sort_index().sort_values("more", ascending=False, kind="stable").index[0])
    stays = rows.stages[rows.stages["stage"] == stage].sort_values(["days", "opportunity_id"], ascending=[False, True])
    values: dict[str, float | int | str] = {"stage": stage, "n": len(stays), "days": int(_middle(own, stage, "median")),
              "beside_days": round(_middle(own, stage, "usual"))}  # fmt: skip
    return Said("slow_stage", values, tuple(stays["opportunity_id"].head(3)))


def _middle(table: pd.DataFrame, stage: str, column: str) -> float:
    return float(table.loc[[stage], column].iloc[0])


def _cycle(rows: Rows) -> Said | None:
    deals = rows.own[rows.own["days"].ge(0)]
    usual = float(rows.finding["expected"])
    if len(deals) < FEWEST or not deals["days"].median() > usual:
        return None
    longest = deals.sort_values(["days", "opportunity_id"], ascending=[False, True])["opportunity_id"].head(3)
    return Said("cycle", {"n": len(deals), "days": int(deals["days"].median()), "beside_days": round(usual)},
                tuple(longest))  # fmt: skip


def _contacts(rows: Rows) -> Said | None:
    return Said("activity", {"pace": round(float(rows.finding["actual"]), 1), "beside_pace": _expected(rows, 1)})


def _recent_contacts(rows: Rows) -> Said | None:
    """Contacts a working week in the last quarter, where they are fewer than is usual."""
    weeks = rows.evidence.weeks
    if weeks.empty:
        return None
    own = weeks[(weeks["rep_id"] == rows.rep_id) & (weeks["week"] > weeks["week"].max() - pd.Timedelta(weeks=_WEEKS))]
    worked = float(own["days"].sum())
    if worked < 5 * FEWEST or own["activity"].isna().any():
        return None
    pace = float(own["activity"].sum()) / worked * rows.evidence.working_week
    if pace > float(rows.finding["expected"]) * (1 - MARGIN):
        return None
    return Said("activity_recent", {"pace": round(pace, 1), "weeks": _WEEKS, "beside_pace": _expected(rows, 1)})


def _new_deals(rows: Rows) -> Said | None:
    return Said("pipeline_creation", {"pace": round(float(rows.finding["actual"]), 1),
                                      "beside_pace": _expected(rows, 1)})  # fmt: skip


def _size(rows: Rows) -> Said | None:
    won = rows.own[rows.own["won"] & rows.own["amount"].gt(0)]
    if len(won) < FEWEST:
        return None
    smallest = rows.recent(won, fewest=1).sort_values(["amount", "opportunity_id"])["opportunity_id"].head(3)
    return Said("deal_size", {"n": len(won), "amount": round(float(rows.finding["actual"])),
                              "beside_amount": _expected(rows, 0)}, tuple(smallest))  # fmt: skip


def _discounts(rows: Rows) -> Said | None:
    """Won deals with a higher discount than half of the won deals of this kind have."""
    won = rows.own[rows.own["won"] & rows.own["price_kept"].notna()]
    won = rows.recent(won)
    others = rows.won_of_this_kind(won)
    usual = 1 - others.loc[others["rep_id"] != rows.rep_id, "price_kept"].dropna()
    if len(won) < FEWEST or len(usual) < FEWEST:
        return None
    limit = round(float(usual.median()), 3)
    high = won[1 - won["price_kept"] > limit + 1e-9]
    if len(high) < 0.65 * len(won):
        return None
    lowest = high.sort_values(["price_kept", "opportunity_id"])["opportunity_id"].head(3)
    return Said("discounts", {"k": len(high), "n": len(won), "limit_share": limit, "since": rows.since(won)},
                tuple(lowest))  # fmt: skip


def _price(rows: Rows) -> Said | None:
    known = rows.own[rows.own["won"] & rows.own["price_kept"].notna()]
    if len(known) < FEWEST:
        return None
    lowest = known.sort_values(["price_kept", "opportunity_id"])["opportunity_id"].head(3)
    return Said("price_kept", {"n": len(known), "share": round(float(rows.finding["actual"]), 3),
                               "beside_share": _expected(rows, 3)}, tuple(lowest))  # fmt: skip


def _contacts_of_deals(rows: Rows) -> Said | None:
    """Contacts a week of won and of lost deals, of the rep and of his colleagues (middle values)."""
    deals = rows.deals[rows.deals["activities"].notna() & rows.deals["days"].ge(0)]
    pace = deals["activities"] / deals["days"].clip(lower=7) * 7
    own = deals["rep_id"] == rows.rep_id
    sides = {}
    for name, chosen in (("", own), ("beside_", ~own)):
        for outcome, of in (("won_pace", deals["won"]), ("lost_pace", ~deals["won"])):
            if (chosen & of).sum() < FEWEST:
                return None
            sides[name + outcome] = round(float(pace[chosen & of].median()), 1)
    mine, theirs = (sides[f"{name}won_pace"] - sides[f"{name}lost_pace"] for name in ("", "beside_"))
    if not mine < theirs:
        return None
    lost = deals[own & ~deals["won"]].assign(pace=pace)
    busiest = lost.sort_values(["pace", "opportunity_id"], ascending=[False, True])["opportunity_id"].head(3)
    return Said("focus", dict(sides), tuple(busiest))


def _focus_share(rows: Rows) -> Said | None:
    return Said("focus_share", {"share": round(float(rows.finding["actual"]), 2), "beside_share": _expected(rows, 2)})


def _change(rows: Rows) -> Said | None:
    return Said("trend", {"change": round(float(rows.finding["actual"]) - 1, 2), "weeks": _WEEKS,
                          "beside_change": round(float(rows.finding["expected"]) - 1, 2)})  # fmt: skip


def _part(k: int, n: int) -> dict[str, float | int | str]:
    return {"k": k, "n": n, "share": round(k / n, 2)}


def _lost_first(deals: pd.DataFrame) -> pd.DataFrame:
    lost = deals[~deals["won"]]
    return lost if len(lost) else deals


def _expected(rows: Rows, decimals: int) -> float:
    return round(float(rows.finding["expected"]), decimals)


def _many(some: pd.DataFrame, of: pd.DataFrame) -> bool:
    return len(some) >= _FEWEST_OF_THEM and len(some) >= _LEAST_SHARE * len(of)


_SENTENCES: dict[str, tuple[tuple[Sentence, ...], ...]] = {
    "win_rate": ((_silence,), (_win_share,)),
    "stage_conversion": ((_waited_in_stage, _silence), (_stage_share,)),
    "follow_up": ((_silence,), (_follow_up_share,)),
    "cycle": ((_slow_stage,), (_cycle,)),
    "activity": ((_recent_contacts, _contacts),),
    "pipeline_creation": ((_new_deals,),),
    "deal_size": ((_size,),),
    "price_kept": ((_discounts,), (_price,)),
    "focus": ((_contacts_of_deals, _focus_share),),
    "trend": ((_change,),),
}
