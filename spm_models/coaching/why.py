"""Why a rep falls short: knowledge, motivation, direction or context, each with what speaks for and against it.

Every cause leaves another pattern. Somebody who does not know how loses deals in one stage, whatever he works on and
however much; whose motivation went does less of everything and converts what he works on; without direction the work
goes to the wrong deals; and where the place is the cause, behaviour is as usual and there is less to be found. The
patterns are written down below as normal distributions of performance beside a typical colleague; with Bayes' rule and
what was seen of each behaviour they give a probability. It is a hypothesis for a talk and never a label.

References
----------
Spiegelhalter and Knill-Jones (1984), Statistical and knowledge-based approaches to clinical decision-support systems,
JRSS A 147: weights of evidence that add up, told for and against.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from spm_models.coaching.result import CoachingFindings, Posterior, empty_table

CAUSES = ("knowledge", "motivation", "direction", "context")
PRIOR = {"knowledge": 0.35, "motivation": 0.30, "direction": 0.20, "context": 0.15}
SURE = 0.5  #: a cause is stated from this probability on
SOFT = 1.2  #: behaviours of one rep depend on each other: their evidence counts for so much less
TOLD = 0.25  #: a weight that is worth a sentence (natural log odds)
MOST = 4  #: sentences a cause
_USUAL = 0.1  # so far beside what is expected something is told to be as usual

#: By behaviour and cause: mean and standard deviation of log performance beside a typical colleague.
PATTERNS: dict[str, dict[str, tuple[float, float]]] = {
    "activity": {
        "knowledge": (0.0, 0.2), "motivation": (-0.45, 0.25), "direction": (0.05, 0.2), "context": (0.05, 0.2),
    },
    "pipeline_creation": {
        "knowledge": (0.0, 0.3), "motivation": (-0.3, 0.35), "direction": (0.0, 0.3), "context": (-0.35, 0.3),
    },
    "trend": {"knowledge": (0.0, 0.12), "motivation": (-0.2, 0.3), "direction": (0.0, 0.12), "context": (0.0, 0.12)},
    "follow_up": {
        "knowledge": (0.0, 0.25), "motivation": (-0.4, 0.45), "direction": (-0.1, 0.25), "context": (0.15, 0.3),
    },
    "focus": {"knowledge": (0.0, 0.1), "motivation": (0.05, 0.12), "direction": (-0.3, 0.2), "context": (0.0, 0.1)},
    "deal_size": {
        "knowledge": (0.0, 0.3), "motivation": (0.0, 0.3), "direction": (-0.1, 0.3), "context": (-0.15, 0.35),
    },
}  # fmt: skip
_LOW_STAGE, _OTHER_STAGE = (-0.5, 0.25), (0.0, 0.12)
_STAGES: dict[str, tuple[float, float]] = {"motivation": (-0.05, 0.15), "context": (0.0, 0.12)}
_LATE_STAGE = (-0.25, 0.2)  #: of the later half, where the work went to the wrong deals
STAGES = "stage_conversion"


@dataclass(frozen=True)
class Causes:
    """Causes of one review.

    Parameters
    ----------
    table : DataFrame
        Published as ``coaching_causes``.
    evidence : DataFrame
        Published as ``coaching_evidence``: what is worth a sentence.
    scores : DataFrame
        One row a rep and cause, one column a behaviour and ``prior``: weights (log odds beside the mean of all causes)
        that add up to ``score``.
    """

    table: pd.DataFrame
    evidence: pd.DataFrame
    scores: pd.DataFrame

    def by_rep(self) -> pd.DataFrame:
        """One row a rep: the probability of each cause."""
        wide = self.table.pivot(index="rep_id", columns="cause", values="probability")
        return wide.rename_axis(columns=None).reset_index()


def causes(findings: CoachingFindings, *, confirmed: pd.DataFrame | None = None) -> Causes:
    """Causes behind the suggestions of a review.

    Parameters
    ----------
    findings : CoachingFindings
    confirmed : DataFrame, optional
        What managers said: ``rep_id``, ``cause``, ``confirmed`` (``yes`` or ``no``), the last word on each.

    Returns
    -------
    Causes
        For every rep with a topic. ``place`` orders the causes: what a manager confirmed first, what he refused last.
    """
    topics = findings.verdicts.loc[findings.verdicts["topic"].notna() & findings.verdicts["topic"].ne("")]
    reps = pd.Index(sorted(topics["rep_id"]), name="rep_id")
    if reps.empty:
        empty = {name: empty_table(name) for name in ("coaching_causes", "coaching_evidence")}
        return Causes(empty["coaching_causes"], empty["coaching_evidence"], pd.DataFrame())
    weights = _weights(findings, reps)
    scores = weights.sum(axis=1).unstack("cause")[list(CAUSES)]
    probability = pd.DataFrame(special.softmax(scores.to_numpy(), axis=1), reps, list(CAUSES))
    table = _table(probability, confirmed)
    told = _told(weights, findings)
    return Causes(table, told, weights.assign(score=weights.sum(axis=1)).reset_index())


def with_causes(findings: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Verdicts with the cause that is stated (or confirmed), and its probability."""
    stated = table[(table["stated"] & table["confirmed"].ne("no")) | table["confirmed"].eq("yes")]
    first = stated.sort_values(["rep_id", "place"]).drop_duplicates("rep_id").set_index("rep_id")
    named = findings["rep_id"].map(first["cause"].astype("str")).astype("str").fillna("")
    return findings.assign(cause=named, cause_probability=findings["rep_id"].map(first["probability"]).astype(float))


def _weights(findings: CoachingFindings, reps: pd.Index) -> pd.DataFrame:
    """Log likelihood of each behaviour under each cause, beside the mean of all causes; rows rep and cause."""
    parts: dict[str, np.ndarray] = {"prior": np.tile(np.log([PRIOR[c] for c in CAUSES]), (len(reps), 1))}
    for signal, pattern in PATTERNS.items():
        seen = _seen(findings.posteriors.get((signal, "")), reps)
        if seen is not None:
            parts[signal] = np.column_stack([_log_density(*seen, *pattern[cause]) for cause in CAUSES]) / SOFT
    stages = [key for key in findings.posteriors if key[0] == STAGES]
    if stages:
        parts[STAGES] = _stage_likelihood(findings.posteriors, stages, reps) / SOFT
    index = pd.MultiIndex.from_product([reps, CAUSES], names=["rep_id", "cause"])
    centred = {name: (one - one.mean(axis=1, keepdims=True)).ravel() for name, one in parts.items()}
    return pd.DataFrame(centred, index=index)


def _seen(posterior: Posterior | None, reps: pd.Index) -> tuple[np.ndarray, np.ndarray] | None:
    """Log performance beside a typical colleague as seen, and its standard error; infinite where nothing was seen."""
    if posterior is None:
        return None
    seen = posterior.seen().reindex(reps)
    return seen["value"].fillna(0.0).to_numpy(), seen["error"].fillna(np.inf).to_numpy()


def _log_density(value: np.ndarray, error: np.ndarray, mean: float, sd: float) -> np.ndarray:
    variance = sd**2 + error**2
    density = -0.5 * (np.log(variance) + (value - mean) ** 2 / variance)
    return np.where(np.isfinite(error), np.maximum(density, -8.0), 0.0)


def _stage_likelihood(
    posteriors: Mapping[tuple[str, str], Posterior], stages: list[tuple[str, str]], reps: pd.Index
) -> np.ndarray:
    """Of all stages together: for knowledge any one of them may be the low one."""
    seen = [pair for pair in (_seen(posteriors[key], reps) for key in stages) if pair is not None]
    usual = np.stack([_log_density(*pair, *_OTHER_STAGE) for pair in seen])
    low = np.stack([_log_density(*pair, *_LOW_STAGE) for pair in seen])
    late = np.arange(len(seen)) >= len(seen) / 2
    total = usual.sum(axis=0)
    found = {
        "knowledge": special.logsumexp(total - usual + low, axis=0) - np.log(len(seen)),
        "direction": sum(
            _log_density(*pair, *(_LATE_STAGE if after else _OTHER_STAGE))
            for pair, after in zip(seen, late, strict=True)
        ),
    } | {cause: sum(_log_density(*pair, *pattern) for pair in seen) for cause, pattern in _STAGES.items()}
    return np.column_stack([np.asarray(found[cause]) for cause in CAUSES])


def _table(probability: pd.DataFrame, confirmed: pd.DataFrame | None) -> pd.DataFrame:
    rows = probability.reset_index().melt("rep_id", var_name="cause", value_name="probability")
    rows["confirmed"] = ""
    if confirmed is not None and len(confirmed):
        said = confirmed.drop_duplicates(["rep_id", "cause"], keep="last").set_index(["rep_id", "cause"])["confirmed"]
        keys = pd.MultiIndex.from_frame(rows[["rep_id", "cause"]])
        rows["confirmed"] = said.reindex(keys).fillna("").to_numpy()
    order = rows["confirmed"].map({"yes": 0, "": 1, "no": 2})
    rows = rows.assign(order=order).sort_values(
        ["rep_id", "order", "probability", "cause"], ascending=[True, True, False, True], ignore_index=True
    )
    rows["place"] = rows.groupby("rep_id").cumcount() + 1
    rows["stated"] = (rows["place"] == 1) & ((rows["probability"] >= SURE) | (rows["confirmed"] == "yes"))
    schema = empty_table("coaching_causes")
    return rows[list(schema)].astype(schema.dtypes.to_dict())


def _told(weights: pd.DataFrame, findings: CoachingFindings) -> pd.DataFrame:
    """The weightiest readings of each cause, in the words' keys, with the figures that they tell."""
    rows = weights.drop(columns="prior").reset_index().melt(["rep_id", "cause"], var_name="signal", value_name="weight")
    rows = rows[rows["weight"].abs() >= TOLD]
    stage = rows["rep_id"].map(_lowest_stage(findings.table)).fillna("")
    rows = rows.assign(part=stage.where(rows["signal"] == STAGES, ""), size=rows["weight"].abs())
    figures = findings.table[["rep_id", "signal", "part", "pooled", "expected"]]
    rows = rows.merge(figures, on=["rep_id", "signal", "part"])
    beside = rows["pooled"] / rows["expected"].where(rows["expected"] > 0)
    level = np.select([beside < 1 - _USUAL, beside > 1 + _USUAL], ["low", "high"], "usual")
    rows = rows.assign(
        stance=np.where(rows["weight"] > 0, "for", "against"), reading=level,
        value=rows["pooled"], beside=rows["expected"],
    ).sort_values(["rep_id", "cause", "size", "signal"], ascending=[True, True, False, True])  # fmt: skip
    rows["rank"] = rows.groupby(["rep_id", "cause"]).cumcount() + 1
    schema = empty_table("coaching_evidence")
    return rows.loc[rows["rank"] <= MOST, list(schema)].astype(schema.dtypes.to_dict()).reset_index(drop=True)


def _lowest_stage(table: pd.DataFrame) -> pd.Series:
    stages = table[table["signal"] == STAGES].assign(beside=lambda rows: rows["pooled"] / rows["expected"])
    lowest = stages.sort_values(["rep_id", "beside", "part"]).drop_duplicates("rep_id")
    return lowest.set_index("rep_id")["part"]
