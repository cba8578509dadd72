"""The benchmark's findings as text."""

from __future__ import annotations

import numpy as np
import pandas as pd

from win import coverage, streams, table_coverage
from win.compare import MEASURES, Compared
from win.peers import ABOUT, OURS
from win.split import Table

ORDER = (*ABOUT, OURS)


def legend() -> str:
    """What each peer is."""
    lines = [f"  {name:<22} {text}" for name, text in ABOUT.items()]
    return "\n".join([f"Peers of {OURS}; calibration_noise and _limit: what right probabilities would show", *lines])


def compared(one: Compared) -> str:
    """Measures of all models on a table, best log loss first."""
    rows = len(one.table.y)
    lines = [f"\n{one.table.name}: {one.table.about}; judged by {rows:,} rows, base rate {one.table.y.mean():.3f}"]
    columns = [*MEASURES, "calibration_noise", "calibration_limit", "seconds"]
    lines.append(one.measures[columns].round(dict.fromkeys(columns, 4) | {"seconds": 1}).to_string())
    if one.table.ceiling is not None:
        lines.append(f"ceiling, with what is hidden: {one.table.ceiling:.4f}")
    lines += [f"{name}: not installed — {reason}" for name, reason in one.absent.items()]
    if np.isfinite(one.difference) and one.best != OURS:
        lines.append(
            f"{OURS} − {one.best}: {one.difference:+.4f} ± {one.error:.4f} ({one.regret:+.2%}), "
            f"bootstrap by {one.table.cluster}; calibration "
            + ("within noise or the lowest" if one.calibrated else "off by more than noise")
        )
    return "\n".join(lines)


def streamed(table: Table, logs: dict[str, pd.DataFrame]) -> str:
    """Log loss of the stream, whole and by tenths."""
    flat = streams.flat(table, logs)
    lines = [f"\n{table.name}, prequential: labels are learned as they become known"]
    rows = {
        name: {
            "log_loss": flat[f"prequential.{table.name}.{name}"],
            "auc": flat[f"prequential_auc.{table.name}.{name}"],
            "calibration_error": flat[f"prequential_calibration_error.{table.name}.{name}"],
            "by tenth": " ".join(f"{value:.3f}" for value in streams.by_tenth(log)),
        }
        for name, log in logs.items()
    }
    return "\n".join(
        [*lines, pd.DataFrame.from_dict(rows, orient="index").sort_values("log_loss").round(4).to_string()]
    )


def summary(values: dict[str, float], found: list[Compared]) -> str:
    """Regret to the best peer of each table."""
    if not values:
        return ""
    lines = ["\nRegret to the best peer of each table (share of its log loss)"]
    for one in found:
        if f"regret.{one.table.name}" in values:
            error = values[f"regret_error.{one.table.name}"]
            lines.append(f"  {one.table.name:<16} {one.regret:+.2%} ± {error:.2%}   beside {one.best}")
    lines.append(
        f"  mean {values['mean_regret']:+.2%}; better on {values['tables_better']:.0f}, no worse than one standard "
        f"error on {values['tables_within_one_error']:.0f}, calibrated on {values['tables_calibrated']:.0f} "
        f"of {values['tables']:.0f} tables"
    )
    return "\n".join(lines)


def covered(found: pd.DataFrame) -> str:
    """Coverage of intervals: on average, by band, mechanism and size."""
    facts = coverage.summary(found)
    lines = [
        f"\n80 % intervals over {facts['interval_companies']:.0f} simulated companies: "
        f"{facts['interval_coverage']:.1%} ± {facts['interval_coverage_error']:.1%} of true probabilities covered, "
        f"width {facts['interval_width']:.3f}; pooled rate {facts['pooled_interval_coverage']:.1%}, "
        f"width {facts['pooled_interval_width']:.3f}",
        f"distance to the truth (rmse): {facts['interval_truth_rmse']:.3f}, "
        f"pooled rate {facts['pooled_truth_rmse']:.3f}",
    ]
    for title, by in (("band of the score", coverage.by_band), ("mechanism", coverage.by_mechanism),
                      ("decided deals", coverage.by_size)):  # fmt: skip
        lines += [f"by {title}", by(found).round(3).to_string(index=False)]
    return "\n".join(lines)


def covered_through_tables(found: pd.DataFrame) -> str:
    """Coverage on sample companies: of deals that look the same, and of the very deal with its hidden state."""
    facts = table_coverage.summary(found)
    line = (
        f"\n80 % intervals on {facts['interval_companies_tables']:.0f} sample companies, through import and snapshots: "
        f"{facts['interval_coverage_tables']:.1%} hold the mean true chance of deals that look the same "
        f"(pooled rate {facts['pooled_interval_coverage_tables']:.1%}), width {facts['interval_width_tables']:.3f} "
        f"(pooled {facts['pooled_interval_width_tables']:.3f});\n{facts['interval_coverage_tables_hidden']:.1%} hold "
        "the chance of the very deal, which knows what no table says; "
        f"mean told {facts['told_tables']:.3f}, true {facts['true_tables']:.3f}"
    )
    return f"{line}\n{coverage.by_band(found).round(3).to_string(index=False)}"


def costs(values: dict[str, float]) -> str:
    """Seconds and memory of scoring."""
    lines = [f"\nScoring {values['scoring_rows']:,.0f} deals of {values['scoring_columns']:.0f} columns (medians)"]
    for name in ("hist_boosting", "hist_boosting_on_codes", OURS):
        if f"scoring_cpu.{name}" in values:
            cpu, wall, memory = (values[f"scoring_{what}.{name}"] for what in ("cpu", "wall", "memory_mb"))
            lines.append(f"  {name:<23}{cpu:6.2f} s of processor, {wall:6.2f} s, {memory:,.0f} MB more memory")
    if "scoring_ratio" in values:
        lines.append(f"  ratio {values['scoring_ratio']:.2f}; on codes {values['scoring_ratio_on_codes']:.2f}")
    return "\n".join(lines)
