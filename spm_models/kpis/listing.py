"""What every KPI is, as rows for programs and as the page ``docs/kpis.md``."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

from spm_models.kpis.definition import MINIMUM_GROUP, Kpi
from spm_models.kpis.dimensions import DIMENSIONS, LEVELS, keys_of
from spm_models.kpis.packs import packs, read_pack
from spm_models.kpis.registry import FAMILIES, KPIS
from spm_models.translations import LOCALES, Translator

_REQUIRED = ("reps", "opportunities")
_INTERVALS = {
    "wilson": "Wilson", "mean": "mean ± normal quantile", "bootstrap": "bootstrap", "order_statistics":
    "order statistics", "kaplan_meier": "Kaplan–Meier", None: "",
}  # fmt: skip
#: How ibis writes a negated column and a missing number, and how people do.
_PLAINER = ((re.compile(r"(~_\.\w+)(?=\.)"), r"(\1)"), (re.compile(r"<scalar\[\w+\]>"), "null"))


def listing(kpis: Mapping[str, Kpi] = KPIS, *, locale: str = "en") -> list[dict[str, Any]]:
    """One row a KPI, by its number in the inventory and within it in the order of the registry.

    Parameters
    ----------
    kpis : mapping of str to Kpi
    locale : {"en", "tr", "ar"}
        Language of ``title``.

    Returns
    -------
    list of dict
        ``id``, ``name``, ``title``, ``titles`` (in every language), ``definition``, ``unit``, ``direction``, ``by``
        (names for ``--by``), ``periods``, ``facts`` (the events it counts, or None), ``numerator``, ``denominator``,
        ``statistic``, ``of`` and ``only`` (expressions as ibis writes them, or None), ``parts`` (KPIs that it is made
        of), ``tables`` (with the required ones), ``deal_scores`` (whether published win probabilities are needed),
        ``ahead`` (whether it is known before the period begins), ``interval``, ``minimum`` (events that a verdict
        takes; None for sums), ``minimum_group`` (units that a peer average takes), ``healthy`` (low
        and high, or None), ``source``.

    Examples
    --------
    >>> row = listing(locale="tr")[0]
    >>> row["id"], row["name"], row["title"], row["interval"], row["healthy"]
    ('K01', 'win_rate', 'Kazanma oranı', 'Wilson', [0.2, 0.3])
    >>> row["facts"], row["numerator"], row["denominator"], row["minimum"]
    ('closed', '_.won.sum()', '_.count()', 5)
    """
    t, words = Translator(locale), {name: Translator(name) for name in LOCALES}
    return [
        {
            "id": kpi.id,
            "name": kpi.name,
            "title": title(t, kpi.name),
            "titles": {name: title(other, kpi.name) for name, other in words.items()},
            "definition": kpi.definition,
            "unit": kpi.unit,
            "direction": kpi.direction,
            "by": allowed(kpi),
            "periods": list(kpi.grains),
            "facts": kpi.facts.name if kpi.facts else None,
            "numerator": _written(kpi.numerator),
            "denominator": _written(kpi.denominator),
            "statistic": kpi.statistic,
            "of": _written(kpi.of),
            "only": _written(kpi.only),
            "parts": list(kpi.parts),
            "tables": [*_REQUIRED, *kpi.needs],
            "deal_scores": kpi.needs_scores,
            "ahead": kpi.ahead,
            "interval": _INTERVALS[kpi.interval],
            "minimum": kpi.minimum if kpi.estimated else None,
            "minimum_group": MINIMUM_GROUP,
            "healthy": None if kpi.healthy is None else list(kpi.healthy),
            "source": kpi.source,
        }
        for kpi in sorted(kpis.values(), key=lambda kpi: kpi.id)
    ]


def title(t: Translator, name: str) -> str:
    """What a KPI is called in the reader's language."""
    return t.name("kpi", name)


def allowed(kpi: Kpi) -> list[str]:
    """Names of the dimensions by which a KPI can be asked, "company" (none) first.

    Examples
    --------
    >>> allowed(KPIS["quota_attainment"])
    ['company', 'region', 'team', 'manager', 'rep']
    """
    if kpi.facts is not None:
        return ["company", *keys_of(kpi.facts)]
    if kpi.parts:
        parts = [set(allowed(KPIS[name])) for name in kpi.parts]
        return [name for name in ("company", *DIMENSIONS) if all(name in part for part in parts)]
    return list(LEVELS)


def band(healthy: list[float] | None, unit: str) -> str:
    """A healthy band in words.

    Examples
    --------
    >>> band([0.2, 0.3], "share"), band([3, 4], "ratio"), band(None, "days")
    ('20–30 %', '3–4 ×', '')
    """
    if healthy is None:
        return ""
    scale, ending = {"share": (100, " %"), "ratio": (1, " ×"), "days": (1, " days")}.get(unit, (1, ""))
    low, high = (f"{bound * scale:g}" for bound in healthy)
    return f"{low}–{high}{ending}"


def page() -> str:
    """The page ``docs/kpis.md``: ``python -m spm_models.kpis.listing > docs/kpis.md``."""
    return "\n".join(_lines()) + "\n"


def _written(expression: Any) -> str | None:
    if expression is None:
        return None
    text = repr(expression)
    for pattern, plainer in _PLAINER:
        text = pattern.sub(plainer, text)
    return text


def _lines() -> Iterator[str]:
    yield "# KPIs"
    yield ""
    yield "Written by `python -m spm_models.kpis.listing > docs/kpis.md` from the definitions in `spm_models/kpis`; a"
    yield "test holds the two together. `spm kpis list` shows the same, `--json` to programs; `spm kpis show` computes."
    yield ""
    yield "A KPI can be asked for any day, week, month, quarter or year unless it says otherwise, and by any dimension"
    yield "that its facts have (see By what). A KPI whose tables are missing is left out. Ranges are of 80 %. *At"
    yield "least*: with fewer events there is a range and no verdict; a peer average takes"
    yield f"{MINIMUM_GROUP} units. A healthy band is context, never a verdict by itself; a pack (below) or the company"
    yield "may set another. *Ahead*: known before the period begins."
    for family in FAMILIES:
        yield from _family(family)
    yield ""
    yield "## By what"
    yield ""
    yield "| computed from | by |"
    yield "|---|---|"
    kinds = {kpi.facts.name: kpi.facts for kpi in KPIS.values() if kpi.facts}
    for name, kind in kinds.items():
        yield _line(f"`{name}`", ", ".join(["company", *keys_of(kind)]))
    yield _line("levels of their own", ", ".join(LEVELS))
    yield _line("other KPIs", "what all of their parts allow")
    yield from _packs()


def _family(family: ModuleType) -> Iterator[str]:
    rows = listing({kpi.name: kpi for kpi in family.KPIS})
    yield ""
    yield f"## {_heading(family)}"
    yield ""
    yield "| id | name | what it is | unit | better | range | healthy |"
    yield "|---|---|---|---|---|---|---|"
    for row in rows:
        yield _line(
            row["id"], f"`{row['name']}`", f"**{row['title']}.** {row['definition']}", row["unit"].replace("_", " "),
            "depends" if row["direction"] == "context" else row["direction"], row["interval"],
            band(row["healthy"], row["unit"]),
        )  # fmt: skip
    yield ""
    yield "| name | computed from | as | at least | needs |"
    yield "|---|---|---|---|---|"
    for row in rows:
        needs = [f"`{name}`" for name in row["tables"][len(_REQUIRED) :]] + ["deal scores"] * row["deal_scores"]
        marks = ["ahead"] * row["ahead"] + ([", ".join(row["periods"])] if len(row["periods"]) < 5 else [])
        yield _line(
            f"`{row['name']}`", f"`{row['facts']}`" if row["facts"] else "", _computed(row), str(row["minimum"] or ""),
            "; ".join([*needs, *marks]),
        )  # fmt: skip


def _packs() -> Iterator[str]:
    yield ""
    yield "## Packs"
    yield ""
    yield "A pack (`templates/kpis/<name>.toml`) says what a scorecard shows for a kind of business, and against what."
    yield "The company names one in `[kpis]` of its `spm.toml` and changes what it likes: `choose`, `leave_out`,"
    yield "`bands`, `targets`. Amounts and counts have neither band nor target: they grow with team and period, and"
    yield "quotas are for that. Nor have lateness and the words of calls, by which nobody is judged. A choice switches"
    yield "nothing off: the published table `kpis` has all KPIs of the running quarter, `kpi_periods` the chosen ones"
    yield "by the periods of `[kpis.periods]`; `spm kpis show` and notebook 09 have any other period and dimension."
    for name in packs():
        pack = read_pack(name)
        yield ""
        yield f"### {name}"
        yield ""
        yield ", ".join(f"`{kpi}`" for kpi in pack.kpis) + "."
        yield ""
        yield "| name | healthy | target | from |"
        yield "|---|---|---|---|"
        for kpi in dict.fromkeys((*pack.bands, *pack.targets)):
            held, target = pack.band(kpi), pack.targets.get(kpi)
            told = band(list(held), KPIS[kpi].unit) if held else "none" if kpi in pack.bands else ""
            yield _line(f"`{kpi}`", told, "" if target is None else f"{target:g}", pack.sources.get(kpi, ""))


def _heading(family: ModuleType) -> str:
    first = (family.__doc__ or family.__name__).strip().splitlines()[0]
    return re.split(r"[:.]", first)[0]


def _computed(row: dict[str, Any]) -> str:
    """How a KPI is computed, in the words of its expressions."""
    if row["parts"]:
        return "made of " + ", ".join(f"`{name}`" for name in row["parts"])
    if row["statistic"]:
        what = f" of `{row['of']}`" if row["of"] else " time to the event"
        return f"{row['statistic']}{what}" + (f", only `{row['only']}`" if row["only"] else "")
    if row["numerator"] is None:
        return "as defined, level by level"
    return f"`{row['numerator']}`" + (f" / `{row['denominator']}`" if row["denominator"] else "")


def _line(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    sys.stdout.write(page())
