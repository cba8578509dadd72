"""The distance from a reference to what a rep sold, in money, cut into steps that add up to the cent.

What a rep sells is the product of what he finds, of the share that gets beyond each stage, of size and of price. From
what a typical colleague sells, each factor leads one step further; logarithmic means share out their product exactly,
whatever the order (log-mean Divisia index). All factors are pooled values, so chance is in none of them: the rest is
luck, and luck is nobody's. Pooled factors are never zero, so no other rule is needed where somebody sold nothing.

- ``target_setting`` (from the target only): what a typical colleague with his days at work sells, less the target.
- ``absence``: days not worked. ``territory``: what his places, customers and seasons bring beside the company's.
- ``effort``: deals found. ``conversion``: each stage (or the win rate, without stages), less what ``focus`` explains.
- ``deal_size`` and ``price``: size at list price, and discounts. ``speed``: money that comes later or sooner.
- ``luck``: what was sold less all of that.

Contacts and follow-up act through finding and converting: a step of their own would count the same money twice. That
focus acts with half its size is an assumption (:data:`FOCUS_ELASTICITY`), as in :mod:`spm_models.coaching.money`.

References
----------
Ang (2005), The LMDI approach to decomposition analysis: a practical guide, Energy Policy 33.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from spm_models.coaching.features import Evidence
from spm_models.coaching.result import CoachingFindings, Posterior, empty_table

Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
Key = tuple[str, str]
FOCUS_ELASTICITY = 0.5
DRAWS = 400
COACHABLE = frozenset({"effort", "conversion", "focus", "deal_size", "price", "speed"})
_REFERENCES = ("target", "peers")


@dataclass(frozen=True)
class _Chain:
    """Factors of each rep from a typical colleague to what is known of him, and draws of them."""

    names: list[Key]  # step and part, in order
    values: Floats  # (reps, factors)
    drawn: Floats  # (draws, reps, factors)


def gap(evidence: Evidence, findings: CoachingFindings, *, seed: int = 0) -> pd.DataFrame:
    """Steps from the target, and from a typical colleague, to what each rep sold.

    Parameters
    ----------
    evidence : Evidence
        With targets, what is counted is what they count: credited bookings of the window's whole quarters. Without,
        deals won in the window.
    findings : CoachingFindings
        With posteriors.
    seed : int
        Of the draws behind the ranges.

    Returns
    -------
    DataFrame
        Published as ``coaching_gap``. For each rep and ``reference`` (``peers``; ``target`` where he has one):
        ``start`` is the reference, ``end`` what he sold, and start and all steps between add up to the end, to the
        cent. ``low`` and ``high`` are 80 % ranges. Empty where nobody sold anything.
    """
    sold = _sold(evidence)
    days = _days(evidence)
    reps = pd.Index(sorted(set(findings.verdicts["rep_id"]) & set(days.index[days > 0])), name="rep_id")
    sold = sold.reindex(reps).fillna(0.0)
    if reps.empty or not sold.sum() > 0:
        return empty_table("coaching_gap")
    random = np.random.default_rng(seed)
    chain = _chain(evidence, findings.posteriors, days.reindex(reps), reps, random)
    product = chain.values.prod(axis=1)
    typical = float(sold.sum() / product.sum())  # so that luck adds up to nothing over the company
    parts = []
    for reference in _REFERENCES:
        start = _start(reference, evidence, reps, typical)
        known = start.notna().to_numpy()
        if known.any():
            parts.append(_steps(reference, start[known], sold[known], typical, _of(chain, known)))
    return pd.concat(parts, ignore_index=True).sort_values(["rep_id", "reference", "place"], ignore_index=True)


def _sold(evidence: Evidence) -> pd.Series:
    if len(evidence.results):
        return evidence.results.set_index("rep_id")["won_amount"].astype(float)
    won = evidence.deals[evidence.deals["won"]]
    return won.groupby("rep_id")["amount"].sum().astype(float)


def _days(evidence: Evidence) -> pd.Series:
    work = evidence.work.get("pipeline_creation")
    if work is None:
        return pd.Series(1.0, index=pd.Index(evidence.reps["rep_id"], name="rep_id"))
    return work.groupby("rep_id")["days"].sum()


def _start(reference: str, evidence: Evidence, reps: pd.Index, typical: float) -> pd.Series:
    if reference == "peers":
        return pd.Series(typical, index=reps)
    if not len(evidence.results):
        return pd.Series(np.nan, index=reps)
    quota = evidence.results.set_index("rep_id")["quota"].astype(float).reindex(reps)
    return quota.where(quota > 0)


def _chain(
    evidence: Evidence, posteriors: Mapping[Key, Posterior], days: pd.Series, reps: pd.Index,
    random: np.random.Generator,
) -> _Chain:  # fmt: skip
    whole = max(float(days.quantile(0.9)), 1.0)
    fixed = {("absence", ""): (days / whole).to_numpy(), ("territory", ""): _places(posteriors, reps)}
    drawn: dict[Key, Floats] = {}
    values: dict[Key, Floats] = {}

    def take(step: Key, key: Key) -> None:
        if (posterior := posteriors.get(key)) is not None:
            values[step] = posterior.relative()["mean"].reindex(reps).fillna(1.0).to_numpy()
            drawn[step] = _draws(posterior, reps, random)

    take(("effort", ""), ("pipeline_creation", ""))
    stages = [key for key in posteriors if key[0] == "stage_conversion"]
    for key in stages or [("win_rate", "")]:
        take(("conversion", key[1]), key)
    take(("focus", ""), ("focus", ""))
    take(("deal_size", ""), ("deal_size", ""))
    take(("price", ""), ("price_kept", ""))
    take(("speed", ""), ("cycle", ""))
    for factors in (values, drawn):
        _separate(factors, [("conversion", key[1]) for key in stages or [("win_rate", "")]])
        if ("speed", "") in factors:
            factors["speed", ""] = _sooner(factors["speed", ""], posteriors["cycle", ""], reps, evidence)
    names = [*fixed, *values]
    shape = (DRAWS, len(reps))
    return _Chain(
        names,
        np.column_stack([fixed[name] if name in fixed else values[name] for name in names]),
        np.stack([np.broadcast_to(fixed[n], shape) if n in fixed else drawn[n] for n in names], axis=2),
    )


def _places(posteriors: Mapping[Key, Posterior], reps: pd.Index) -> Floats:
    """What a typical colleague would sell in each rep's context beside what he would sell on average."""
    factor = np.ones(len(reps))
    for key in (("pipeline_creation", ""), ("win_rate", ""), ("deal_size", "")):
        if (posterior := posteriors.get(key)) is None:
            continue
        expected = pd.Series(posterior.expected, pd.Index(posterior.rep_id))
        common = float(np.average(posterior.expected, weights=posterior.n))
        typical = expected.reindex(reps).fillna(common).to_numpy()
        factor = factor * (np.exp(typical - common) if posterior.log else typical / common)
    return factor


def _draws(posterior: Posterior, reps: pd.Index, random: np.random.Generator) -> Floats:
    found = posterior.relative_draws(random, DRAWS)
    place = pd.Index(posterior.rep_id).get_indexer(reps)
    chosen: Floats = np.where(place >= 0, found[:, place], 1.0)
    return chosen


def _separate(factors: dict[Key, Floats], conversions: list[Key]) -> None:
    """Take what focus explains out of the later conversions, and the price out of the size: nothing counts twice."""
    if ("focus", "") in factors:
        explained = factors["focus", ""] ** FOCUS_ELASTICITY
        factors["focus", ""] = explained
        late = conversions[len(conversions) // 2 :]
        for key in late:
            factors[key] = factors[key] / explained ** (1 / len(late))
    if ("price", "") in factors and ("deal_size", "") in factors:
        factors["deal_size", ""] = factors["deal_size", ""] / factors["price", ""]


def _sooner(beside: Floats, cycle: Posterior, reps: pd.Index, evidence: Evidence) -> Floats:
    """Share of the window's sales that comes within it because deals take less (or more) time than usual."""
    usual = np.exp(pd.Series(cycle.expected, pd.Index(cycle.rep_id)).reindex(reps).fillna(0.0).to_numpy())
    window = (evidence.as_of - evidence.since).days + 1
    later = usual * (1 / beside - 1)
    return np.asarray(np.exp(-np.clip(later / window, -0.5, 0.5)))


def _of(chain: _Chain, known: NDArray[np.bool_]) -> _Chain:
    return _Chain(chain.names, chain.values[known], chain.drawn[:, known])


def _steps(reference: str, start: pd.Series, sold: pd.Series, typical: float, chain: _Chain) -> pd.DataFrame:
    """One row a rep and step. From the target, absence is in the target already: it is owed for days worked only."""
    names, values, drawn = chain.names, chain.values, chain.drawn
    first = np.full(len(start), typical)
    steps: dict[Key, tuple[Floats, Floats]] = {}
    if reference == "target":
        present = values[:, 0]
        first = typical * present
        amount = first - start.to_numpy()
        steps["target_setting", ""] = (amount, np.broadcast_to(amount, (DRAWS, len(start))))
        names, values, drawn = names[1:], values[:, 1:], drawn[:, :, 1:]
    exact, ranged = _shared(first, values), _shared(first, drawn)
    for place, name in enumerate(names):
        steps[name] = (exact[..., place], ranged[..., place])
    rest = sold.to_numpy() - first
    steps["luck", ""] = (rest - exact.sum(axis=-1), rest - ranged.sum(axis=-1))
    return _frame(reference, start, sold, steps)


def _shared(first: Floats, factors: Floats) -> Floats:
    """Differences that the factors make, in all exactly ``first × (product − 1)``: logarithmic mean times logarithm."""
    logs = np.log(factors)
    total = logs.sum(axis=-1)
    mean = first * np.where(np.abs(total) > 1e-12, special.exprel(total), 1.0)
    return np.asarray(logs * mean[..., None])


def _frame(reference: str, start: pd.Series, sold: pd.Series, steps: dict[Key, tuple[Floats, Floats]]) -> pd.DataFrame:
    """Amounts in whole cents; what rounding leaves goes to luck."""
    end = sold.to_numpy().round(2)
    begin = start.to_numpy().round(2)
    cents = {name: exact.round(2) for name, (exact, _) in steps.items()}
    others = sum((cents[name] for name in cents if name[0] != "luck"), np.zeros(len(begin)))
    cents["luck", ""] = (end - begin - others).round(2)
    rows = [_row(reference, start.index, ("start", ""), 0, begin)]
    for place, (name, (_, drawn)) in enumerate(steps.items(), start=1):
        low, high = np.quantile(drawn, [0.1, 0.9], axis=0).round(2)
        rows.append(_row(reference, start.index, name, place, cents[name], low, high))
    rows.append(_row(reference, start.index, ("end", ""), len(steps) + 1, end))
    schema = empty_table("coaching_gap")
    return pd.concat(rows, ignore_index=True)[list(schema)].astype(schema.dtypes.to_dict())


def _row(
    reference: str, reps: pd.Index, name: Key, place: int, amount: Floats, low: Floats | None = None,
    high: Floats | None = None,
) -> pd.DataFrame:  # fmt: skip
    return pd.DataFrame({
        "rep_id": reps, "reference": reference, "step": name[0], "part": name[1], "place": place, "amount": amount,
        "low": amount if low is None else low, "high": amount if high is None else high,
        "coachable": name[0] in COACHABLE,
    })  # fmt: skip
