"""Series of forecasting competitions: the series forecaster beside its peers.

``make benchmark-series`` runs it beside statsforecast, which lives in an environment of its own; without that
environment ``.venv/bin/python benchmarks/revenue/series.py`` names the peers that are not there.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import pandas as pd

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from revenue import series_scores, series_show
from revenue.series_ask import ASKED, MEANS, OURS, Answer, PeerMissingError, ask
from revenue.series_data import FULL, LENGTHS, SETS, TUNED, Cut, SeriesMissingError, cuts

MODELS = (OURS, *ASKED, *MEANS)


def compare(cut: Cut, models: Iterable[str] = MODELS, *, kept: Path | None = None,
            python: Path | None = None, only_kept: bool = False) -> series_show.Compared:  # fmt: skip
    """Ask all models about a cut and measure what they say; who is not there is told."""
    answers: dict[str, Answer] = {}
    absent: dict[str, str] = {}
    for name in models:
        try:
            answers[name] = ask(name, cut, kept=kept, python=python, only_kept=only_kept)
        except PeerMissingError as reason:
            absent[name] = str(reason)
    parts = {name: series_scores.by_series(answer.forecasts, cut.test, cut.scale) for name, answer in answers.items()}
    return series_show.Compared(cut, parts, answers, absent)


def score(forecasts: pd.DataFrame, cut: Cut, *, kept: Path | None = None) -> pd.DataFrame:
    """Measures of forecasts made elsewhere, as ``series_forecaster``, beside the peers whose answers are kept."""
    found = compare(cut, [*ASKED, *MEANS], kept=kept, only_kept=True)
    found.parts[OURS] = series_scores.by_series(forecasts, cut.test, cut.scale)
    return series_scores.measures(found.parts)


def run(options: argparse.Namespace) -> dict[str, float]:
    """Everything asked for, printed unless JSON is wanted, as flat keys."""
    say = (lambda *text: None) if getattr(options, "json", False) else partial(print, flush=True)
    flat: dict[str, float] = {}
    try:
        wanted = [cut for name in _option(options, "set", TUNED) for cut in cuts(name, _option(options, "cuts", ALL))]
    except SeriesMissingError as reason:
        say(f"series: not here — {reason}")
        return {}
    say(series_show.legend())
    told: list[series_show.Compared] = []
    first = getattr(options, "series", None) or (40 if getattr(options, "quick", False) else None)
    for whole in wanted:
        cut = whole if first is None else whole.first(first)
        found = compare(cut, _option(options, "models", MODELS), kept=getattr(options, "keep", None),
                        python=getattr(options, "peers", None))  # fmt: skip
        flat |= found.flat()
        say(show(found))
        told.append(found)
    say(series_show.summary(told))
    return flat | series_show.goals(told)


def show(found: series_show.Compared) -> str:
    """A cut as a table."""
    return series_show.compared(found)


ALL = (*LENGTHS, FULL)


def _option(options: argparse.Namespace, name: str, usual: Iterable[str | int]) -> list[str | int]:
    return list(getattr(options, name, None) or usual)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this part."""
    parser.add_argument("--set", nargs="+", choices=SETS, metavar="SET", help=f"of {', '.join(SETS)} (the first two)")
    parser.add_argument("--cuts", nargs="+", choices=[str(cut) for cut in ALL], metavar="CUT", help="8, 12, 16, full")
    parser.add_argument("--models", nargs="+", choices=MODELS, metavar="MODEL", help=", ".join(MODELS))
    parser.add_argument("--series", type=int, help="no more than so many series of each set")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep what peers said there, and do not ask again")
    parser.add_argument("--peers", type=Path, metavar="PYTHON", help="of the environment with statsforecast")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="forty series of each set")
    parser.add_argument("--json", action="store_true", help="flat keys instead of text")
    add_options(parser)
    options = parser.parse_args()
    flat = run(options)
    if options.json:
        print(json.dumps({key: round(value, 5) for key, value in flat.items()}, indent=1))


if __name__ == "__main__":
    main()
