"""From posteriors to verdicts: which signals are worth a talk, what they may cost, and the one topic of each rep."""

from __future__ import annotations

import numpy as np
import pandas as pd

from spm_models.coaching.result import VERDICTS
from spm_models.coaching.signals import RESULTS
from spm_models.inference import flag

SURE = 0.7  #: no suggestion that is less probable than this, however certain the others are
WATCH = 0.5  #: more likely than not below, but not sure enough to say so


def judge(table: pd.DataFrame, rate: float) -> pd.Series:
    """Verdict of every finding, under false-discovery control over all reps and behaviours at once.

    A result (attainment, coverage) is never a suggestion: it is watched, and what is behind it is sought in behaviours
    and circumstances.

    Parameters
    ----------
    table : DataFrame
        ``rep_id``, ``signal``, ``probability_below``, ``probability_above`` and ``enough`` (whether the data could
        have shown anything).
    rate : float
        Share of suggestions, and of praise, that may be wrong.
    """
    enough = table["enough"].to_numpy(dtype=bool)
    below = table["probability_below"].where(enough).to_numpy(dtype=float)
    above = table["probability_above"].where(enough).to_numpy(dtype=float)
    behaviour = ~table["signal"].isin(RESULTS).to_numpy()
    short, strong = (
        flag(np.where(behaviour, p, np.nan), rate, groups=table["rep_id"], least=SURE) for p in (below, above)
    )
    verdict = np.select(
        [~enough, short, strong, below >= WATCH],
        ["not_enough_data", "coaching_suggestion", "doing_well", "watch"],
        "fine",
    )
    return pd.Series(verdict, index=table.index, dtype="str")


def by_rep(table: pd.DataFrame) -> pd.DataFrame:
    """One verdict a rep: the first of the verdicts that any of the signals has, in the order of importance.

    The topic is the suggested signal with the most money at stake, the strength the signal that is most probably
    above what was expected, if it is flagged so.
    """
    order = {verdict: place for place, verdict in enumerate(VERDICTS)}
    place = table["verdict"].map(order).groupby(table["rep_id"]).min()
    verdict = pd.Series(np.asarray(VERDICTS, dtype=object)[place.to_numpy(dtype=int)], index=place.index)
    topic = _first(table[table["verdict"] == "coaching_suggestion"], ["money_at_stake", "probability_below"])
    strength = _first(table[table["verdict"] == "doing_well"], ["probability_above"])
    chosen, strength = topic.reindex(place.index), strength.reindex(place.index)
    return pd.DataFrame(
        {
            "rep_id": place.index,
            "verdict": verdict.to_numpy(),
            "topic": chosen["signal"].to_numpy(),
            "topic_part": chosen["part"].to_numpy(),
            "strength": strength["signal"].to_numpy(),
            "strength_part": strength["part"].to_numpy(),
            "money_at_stake": chosen["money_at_stake"].to_numpy(),
        }
    )


def _first(rows: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    ranked = rows.sort_values([*by, "signal", "part"], ascending=[False] * len(by) + [True] * 2, kind="stable")
    return ranked.drop_duplicates("rep_id").set_index("rep_id")[["signal", "part", "money_at_stake"]]
