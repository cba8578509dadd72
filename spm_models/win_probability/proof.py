"""The tables of a backtest: how good past scores were, of what, when, and whether chance explains the rest."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from spm_models.errors import NotEnoughDataError
from spm_models.evaluation.calibration import brier_parts, consistency
from spm_models.evaluation.probability import auc, log_loss
from spm_models.inference.false_discovery import benjamini_hochberg
from spm_models.win_probability.backtest import LEAST_TEST_DEALS
from spm_models.win_probability.classifier.drift import find_drift
from spm_models.win_probability.judgement import CERTAINTY, PLAIN, Judgement, gain_of, gains_without, judge, score_table
from spm_models.win_probability.past_months import FORECASTS
from spm_models.win_probability.training import learning_set

Floats = npt.NDArray[np.float64]
FACTS = "facts.json"
LEAST_IN_GROUP = 10  # decided deals, below which a group is not judged
LEVEL, Z95 = 0.95, 1.959963984540054  # of the band of chance: nearly all dots, so that one outside is worth a look
FALSE_ALARMS = 0.10  # share of false ones among groups that stand out
STEP = 0.05  # of the histogram of scores
SMALLEST_GAIN = 0.005  # share of log loss; less than this is of no use to anybody
NOTABLE_GAIN = 0.05  # a test that leaves this possible has not shown that there is nothing to learn
DIMENSIONS = ("stage", "segment", "family", "region", "kind", "tenure")
TENURES = {"first_year": (0, 365), "years_1_3": (365, 1096), "years_3": (1096, np.inf)}
REST = "other"
MOST_GROUPS = 8
MOST_BLOCKS = 6


@dataclass(frozen=True, eq=False)
class Backtest:
    """How past scores did.

    Parameters
    ----------
    facts : dict
        Plain values: what is ``published`` and why (``reason``), the ``baseline``, the ``gain`` with its ends, counts
        of deals and rows, ``nothing_to_learn``, the drift test.
    tables : dict of DataFrame
        ``scores`` (one measure of one forecast), ``gains`` (one forecast against the base line), ``reliability``,
        ``histogram``, ``months``, ``groups``, ``blocks``.
    """

    facts: dict[str, Any]
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)

    def __getitem__(self, name: str) -> pd.DataFrame:
        return self.tables[name]

    def value(self, model: str, measure: str) -> float:
        """One measure of one forecast; NaN where there is none."""
        scores = self.tables["scores"]
        found = scores.loc[(scores["model"] == model) & (scores["measure"] == measure), "value"]
        return float(found.iloc[0]) if len(found) else float("nan")

    def save(self, folder: Path) -> Path:
        """Write facts and tables beside ``folder``, then put them in its place; a stopped run leaves no half of it."""
        building = folder.with_name(f".{folder.name}.{os.getpid()}")
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir(parents=True)
        text = json.dumps(self.facts, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        (building / FACTS).write_text(text, encoding="utf-8")
        for name, table in self.tables.items():
            table.to_parquet(building / f"{name}.parquet", index=False)
        shutil.rmtree(folder, ignore_errors=True)
        building.rename(folder)
        return folder

    @classmethod
    def read(cls, folder: Path) -> Backtest:
        """Read what :meth:`save` wrote.

        Raises
        ------
        NotEnoughDataError
            When there is nothing.
        """
        if not (folder / FACTS).is_file():
            raise NotEnoughDataError(
                "There is no backtest yet", where=str(folder), remedy="Run `spm backtest win` first."
            )  # fmt: skip
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        return cls(facts, {path.stem: pd.read_parquet(path) for path in sorted(folder.glob("*.parquet"))})


def prove(scored: pd.DataFrame, outcomes: pd.DataFrame, as_of: date | str | None = None, *, seed: int = 0) -> Backtest:
    """Judge the scores of past months by what happened since.

    Parameters
    ----------
    scored : DataFrame
        Stacked results of :func:`~spm_models.win_probability.past_months.score_month`.
    outcomes : DataFrame
        Deals closed by ``as_of``.
    as_of : date or ISO text, optional
        Last day whose outcomes are known.
    seed : int
        Of bootstrap and simulation.

    Raises
    ------
    NotEnoughDataError
        With fewer than 30 deals that were scored and have been decided since.
    """
    usable = scored[scored["base_rate"].notna()]
    fitted = usable[usable["model"].notna()]
    rows = learning_set(fitted, outcomes, as_of, seed=seed)
    if rows["opportunity_id"].nunique() < LEAST_TEST_DEALS:
        rows = learning_set(usable, outcomes, as_of, seed=seed)
    deals = int(rows["opportunity_id"].nunique())
    if deals < LEAST_TEST_DEALS or rows["won"].nunique() < 2:
        raise NotEnoughDataError(
            "Too few past scores have an outcome yet", where="backtest", found=f"{deals} decided deals",
            remedy=f"At least {LEAST_TEST_DEALS} are needed, won and lost ones; replay more months, or wait.",
        )  # fmt: skip
    given = {name: rows[name].to_numpy(float) for name in FORECASTS if rows[name].notna().all()}
    found = judge(rows, given, seed=seed)
    shown = found.published
    gains = _gains(rows, given, found.baseline, seed)
    drift = find_drift(
        rows["won"], _log_odds(given[shown]), rows["as_of"],
        sample_weight=rows["weight"], groups=rows["opportunity_id"],
        blocks=min(int(rows["as_of"].nunique()), MOST_BLOCKS),
    )  # fmt: skip
    facts = _facts(rows, scored, given, found, gains) | {
        "drifting": bool(drift.drifting), "drift_p": _known(drift.p_value), "shown": shown,
        "mean_said": float(np.average(given[shown], weights=rows["weight"])),
    }  # fmt: skip
    tables = {
        "scores": _scores(rows, given, found, seed), "gains": gains, "blocks": drift.table,
        "reliability": _reliability(rows, given, ("model", found.baseline), seed),
        "histogram": histogram(scored, shown), "months": _months(scored, rows, given, found),
        "groups": _groups(rows, given[found.published], given.get("model"), given[found.baseline]),
    }  # fmt: skip
    return Backtest(facts, tables)


def _facts(
    rows: pd.DataFrame, scored: pd.DataFrame, given: dict[str, Floats], found: Judgement, gains: pd.DataFrame
) -> dict[str, Any]:
    learnable = bool((gains["beats_base"] & (gains["share"] >= SMALLEST_GAIN)).any())
    ruled_out = bool((gains.loc[gains["model"].isin(["model", *PLAIN]), "high"] < NOTABLE_GAIN).all())
    gain = found.gain
    return {
        "tells_apart": _tells_apart(rows, given[found.published]),
        "published": found.published, "baseline": found.baseline, "reason": found.reason,
        "nothing_to_learn": "model" in given and found.published != "model" and not learnable and ruled_out,
        "gain": gain.value if gain else None, "gain_low": gain.low if gain else None,
        "gain_high": gain.high if gain else None, "certainty": gain.share_above(0.0) if gain else None,
        "worst_without": float(found.without.min()) if len(found.without) and gain else None,
        "deals": int(rows["opportunity_id"].nunique()), "rows": len(rows), "scored": len(scored),
        "won": int(rows.drop_duplicates("opportunity_id")["won"].sum()),
        "win_rate": float(np.average(rows["won"], weights=rows["weight"])),
        "first": rows["as_of"].min().date().isoformat(), "last": rows["as_of"].max().date().isoformat(),
        "months": int(rows["as_of"].nunique()),
        "width": float((rows["high"] - rows["low"]).mean()) if rows["high"].notna().any() else None,
    }  # fmt: skip


def _scores(rows: pd.DataFrame, given: dict[str, Floats], found: Judgement, seed: int) -> pd.DataFrame:
    """The published measures, and beside them the parts of the Brier score and the noise of the calibration error."""
    won, weight, deals = rows["won"], rows["weight"], rows["opportunity_id"]
    more = []
    for name, p in given.items():
        noise = consistency(won, p, weight, deals, seed=seed)
        values = brier_parts(won, p, weight) | {"calibration_noise": noise.by_chance, "calibration_limit": noise.limit}
        more += [{"model": name, "measure": measure, "value": value} for measure, value in values.items()]
    table = score_table(rows, given, found.gain)
    extra = pd.DataFrame(more).assign(
        **{name: table[name].iloc[0] for name in ("question", "n", "test_start", "test_end")}
    )
    return pd.concat([table, extra[table.columns]], ignore_index=True).sort_values(
        ["model", "measure"], ignore_index=True
    )


def _gains(rows: pd.DataFrame, given: dict[str, Floats], baseline: str, seed: int) -> pd.DataFrame:
    """Each forecast against the base line: fall of the log loss as a share of it, with 90 % ends."""
    loss = log_loss(rows["won"], given[baseline], rows["weight"])
    found = []
    for name, p in given.items():
        gain, over_base = gain_of(rows, given[baseline], p, seed), gain_of(rows, given["base_rate"], p, seed)
        ahead = bool((gains_without(rows, given["base_rate"], p) > 0).all())
        beats_base = name != "base_rate" and ahead and over_base.share_above(0.0) >= CERTAINTY
        found.append(
            {"model": name, "log_loss": log_loss(rows["won"], p, rows["weight"]), "share": gain.value / loss,
             "low": gain.low / loss, "high": gain.high / loss, "beats_base": beats_base}
        )  # fmt: skip
    return pd.DataFrame(found)


def _reliability(rows: pd.DataFrame, given: dict[str, Floats], names: tuple[str, ...], seed: int) -> pd.DataFrame:
    parts = [
        consistency(
            rows["won"], given[name], rows["weight"], rows["opportunity_id"], level=LEVEL, seed=seed
        ).table.assign(model=name)
        for name in dict.fromkeys(names)
        if name in given
    ]
    return pd.concat(parts, ignore_index=True)


def histogram(scored: pd.DataFrame, name: str) -> pd.DataFrame:
    """How many scores of all months fell where, decided or not: ``start``, ``end``, ``n``."""
    edges = np.arange(0, 1 + STEP / 2, STEP).round(6)
    count = np.histogram(scored[name].dropna().to_numpy(float), edges)[0]
    return pd.DataFrame({"start": edges[:-1], "end": edges[1:], "n": count})


def _months(scored: pd.DataFrame, rows: pd.DataFrame, given: dict[str, Floats], found: Judgement) -> pd.DataFrame:
    """One row a month: what the published forecast said, what happened, and the log loss of each forecast."""
    table = against(rows, given[found.published], rows["as_of"])
    table["verdict"] = _verdicts(table)
    losses = {
        f"log_loss_{name}": _by(rows, p, rows["as_of"]) for name, p in given.items()
    }  # fmt: skip
    counts = scored.groupby("as_of").agg(scored=("opportunity_id", "size"), learned_deals=("learned_deals", "max"))
    months = table.set_index("group").join(pd.DataFrame(losses)).join(counts, how="right")
    return months.rename_axis("as_of").reset_index().sort_values("as_of", ignore_index=True)


def _by(rows: pd.DataFrame, p: Floats, group: pd.Series) -> pd.Series:
    return pd.Series(
        {
            key: log_loss(rows["won"].iloc[at], p[at], rows["weight"].iloc[at])
            for key, at in group.groupby(group).indices.items()
        }
    )


def against(rows: pd.DataFrame, p: Floats, group: pd.Series) -> pd.DataFrame:
    """Said against happened by group: ``group, deals, said, happened, low, high, p_value``.

    ``low`` and ``high`` hold the share that happens in 95 of 100 cases if what was said is right; a deal counts once.
    """
    w = rows["weight"].to_numpy()
    each = pd.DataFrame(
        {"group": group.to_numpy(), "deal": rows["opportunity_id"].to_numpy(), "w": w, "p": w * p,
         "y": w * rows["won"].to_numpy(float)}
    ).dropna(subset=["group"])  # fmt: skip
    deals = each.groupby(["group", "deal"], as_index=False).sum()
    share = deals["p"] / deals["w"]
    deals["v"] = deals["w"] ** 2 * share * (1 - share)
    table = deals.groupby("group").agg(
        deals=("deal", "size"), w=("w", "sum"), p=("p", "sum"), y=("y", "sum"), v=("v", "sum")
    )
    said, happened, error = table["p"] / table["w"], table["y"] / table["w"], np.sqrt(table["v"]) / table["w"]
    z = (happened - said) / error.clip(lower=1e-9)
    return pd.DataFrame(
        {"deals": table["deals"], "said": said, "happened": happened, "low": (said - Z95 * error).clip(0, 1),
         "high": (said + Z95 * error).clip(0, 1), "p_value": 2 * stats.norm.sf(np.abs(z))}
    ).reset_index()  # fmt: skip


def _groups(rows: pd.DataFrame, published: Floats, model: Floats | None, baseline: Floats) -> pd.DataFrame:
    """Every breakdown, with what stands out at 10 % false alarms: ``as_expected``, ``won_more``, ``won_less``."""
    parts = [part for part in _breakdowns(rows, published, model, baseline) if len(part) > 1]
    columns = ["dimension", "group", "deals", "said", "happened", "low", "high", "p_value", "log_loss_model",
               "log_loss_baseline", "verdict"]  # fmt: skip
    if not parts:
        return pd.DataFrame(columns=columns)
    table = pd.concat(parts, ignore_index=True)
    return table.assign(verdict=_verdicts(table))[columns]


def _verdicts(table: pd.DataFrame) -> Any:
    """What stands out, with one false alarm in ten of those named: ``won_more``, ``won_less``, ``as_expected``."""
    judged = (table["deals"] >= LEAST_IN_GROUP).to_numpy(bool)
    stands_out = np.zeros(len(table), bool)
    if judged.any():
        stands_out[judged] = benjamini_hochberg(table.loc[judged, "p_value"], FALSE_ALARMS)
    side = np.where(table["happened"] > table["said"], "won_more", "won_less")
    return np.where(~judged, "too_few", np.where(stands_out, side, "as_expected"))


def _breakdowns(
    rows: pd.DataFrame, published: Floats, model: Floats | None, baseline: Floats
) -> Iterator[pd.DataFrame]:
    for dimension in DIMENSIONS:
        group = _group(rows, dimension)
        if group.nunique() < 2:
            continue
        table = against(rows, published, group)
        table["log_loss_model"] = np.nan if model is None else table["group"].map(_by(rows, model, group))
        table["log_loss_baseline"] = table["group"].map(_by(rows, baseline, group))
        yield _sorted(table, rows, dimension).assign(dimension=dimension)


def _group(rows: pd.DataFrame, dimension: str) -> pd.Series:
    if dimension == "tenure":
        days = rows["rep_tenure_days"]
        names = pd.Series(None, index=rows.index, dtype="object")
        for name, (first, last) in TENURES.items():
            names[(days >= first) & (days < last)] = name
        return names
    column = rows["product_id"] if dimension == "family" and rows["family"].isna().all() else rows[dimension]
    values = column.astype("object").where(column.notna(), None)
    deals = rows["opportunity_id"].groupby(values).nunique().sort_values(ascending=False, kind="stable")
    kept = deals.index[: MOST_GROUPS if len(deals) <= MOST_GROUPS else MOST_GROUPS - 1]
    return values.where(values.isna() | values.isin(kept), REST)


def _sorted(table: pd.DataFrame, rows: pd.DataFrame, dimension: str) -> pd.DataFrame:
    if dimension == "stage":
        order = rows.groupby("stage")["stage_order"].median()
        return table.assign(place=table["group"].map(order)).sort_values(["place", "group"]).drop(columns="place")
    if dimension == "tenure":
        return table.assign(place=table["group"].map(list(TENURES).index)).sort_values("place").drop(columns="place")
    return (
        table.assign(last=table["group"] == REST)
        .sort_values(["last", "deals"], ascending=[True, False])
        .drop(columns="last")
    )


def _tells_apart(rows: pd.DataFrame, p: Floats) -> bool:
    """Whether deals of the same month that were won had been given more than those that were lost, beyond chance.

    Within months, as a level that moves tells no deal from another. The standard error is that of J. A. Hanley and
    B. J. McNeil, Radiology 143 (1982), at the number of deals.
    """
    won, weight = rows["won"].to_numpy(bool), rows["weight"].to_numpy()
    parts = [(auc(won[at], p[at], weight[at]), len(at)) for at in rows.groupby("as_of").indices.values()]
    known = [(value, n) for value, n in parts if value == value]
    if not known:
        return False
    a = float(np.average([value for value, _ in known], weights=[n for _, n in known]))
    deals = rows.drop_duplicates("opportunity_id")["won"]
    yes, no = int(deals.sum()), int((~deals).sum())
    spread = a * (1 - a) + (yes - 1) * (a / (2 - a) - a**2) + (no - 1) * (2 * a**2 / (1 + a) - a**2)
    return a - 1.645 * float(np.sqrt(max(spread, 0.0) / (yes * no))) > 0.5


def _known(value: float) -> float | None:
    return value if value == value else None


def _log_odds(p: Floats) -> Floats:
    clipped = np.clip(p, 1e-9, 1 - 1e-9)
    return np.asarray(np.log(clipped) - np.log1p(-clipped))
