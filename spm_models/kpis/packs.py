"""KPI packs: what a scorecard shows for a kind of business, and what a company changes about it.

A choice decides what scorecards show and in which order, and what values are held against. It never switches a KPI
off: the table ``kpis`` has all of them, because pages, reports and goals read the ones they need.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from spm_models.errors import SpmError, WorkspaceError
from spm_models.kpis.registry import KPIS
from spm_models.settings import Kpis
from spm_models.shipped import shipped
from spm_models.workspace import FILE

FOLDER = "templates/kpis"
#: Lateness and the words of calls are shown; nobody is judged by them.
NEVER_JUDGED = ("K27", "K28")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Band(_Part):
    low: float
    high: float
    source: str


class _Target(_Part):
    value: float
    source: str


class _File(_Part):
    kpis: tuple[str, ...]
    without_band: tuple[str, ...] = ()
    bands: dict[str, _Band] = {}
    targets: dict[str, _Target] = {}


@dataclass(frozen=True)
class Choice:
    """What scorecards of a company show.

    Parameters
    ----------
    pack : str
        Name of the pack; empty without one.
    kpis : tuple of str
        In the order of the scorecard.
    bands : mapping of str to (low, high)
        Healthy bands that replace those of the definitions; a band of NaN takes one away.
    targets : mapping of str to float
    sources : mapping of str to str
        Where the band or target of a KPI is from.
    """

    pack: str = ""
    kpis: tuple[str, ...] = tuple(KPIS)
    bands: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    targets: Mapping[str, float] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)

    def band(self, name: str) -> tuple[float, float] | None:
        """The healthy band that holds, or None.

        Examples
        --------
        >>> Choice().band("win_rate"), read_pack("distribution").band("win_rate")
        ((0.2, 0.3), None)
        """
        held = self.bands.get(name, KPIS[name].healthy)
        return None if held is None or np.isnan(held[0]) else held


def packs() -> list[str]:
    """Names of the packs that come with the workbench.

    Examples
    --------
    >>> packs()
    ['b2b_software', 'contact_centre', 'distribution', 'field_sales']
    """
    return sorted(path.stem for path in shipped(FOLDER).glob("*.toml"))


def read_pack(name: str) -> Choice:
    """A pack by its name.

    Raises
    ------
    WorkspaceError
        When there is none of that name.
    SpmError
        When its file does not hold what it should.
    """
    if name not in packs():
        raise WorkspaceError(
            "There is no such KPI pack", where=f"{FILE} [kpis.pack]", found=name, remedy=f"Use {', '.join(packs())}."
        )
    return from_file(shipped(f"{FOLDER}/{name}.toml"))


def from_file(path: Path) -> Choice:
    """A pack from a TOML file.

    Raises
    ------
    SpmError
        When the file cannot be read, names a KPI that does not exist, or holds somebody against what he must not be.
    """
    try:
        read = _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise SpmError(
            "A KPI pack cannot be read", where=str(path), found=str(error).replace("\n", " "),
            remedy="Write kpis = [names], [bands.NAME] with low, high, source, [targets.NAME] with value, source.",
        ) from error  # fmt: skip
    bands = {name: (band.low, band.high) for name, band in read.bands.items()}
    targets = {name: target.value for name, target in read.targets.items()}
    where = str(path)
    _check_names([*read.kpis, *read.without_band], f"{where} [kpis]")
    _check_bands(bands, f"{where} [bands]")
    _check_targets(targets, f"{where} [targets]")
    sources = {name: part.source for part_of in (read.targets, read.bands) for name, part in part_of.items()}
    none = dict.fromkeys(read.without_band, (np.nan, np.nan))
    return Choice(path.stem, read.kpis, none | bands, targets, sources)


def of_company(settings: Kpis) -> Choice:
    """The pack of a company with its own choice, bands and targets.

    Parameters
    ----------
    settings : Kpis
        ``[kpis]`` of the workspace. Without a pack and a choice all KPIs are shown.

    Raises
    ------
    WorkspaceError
        When a KPI or pack does not exist, a band is upside down, or a band or target is set for what has none.

    Examples
    --------
    >>> mine = of_company(Kpis(pack="field_sales", leave_out=("meetings",), targets={"meetings_per_week": 8}))
    >>> "meetings" in mine.kpis, mine.targets["meetings_per_week"], mine.targets["quota_attainment"]
    (False, 8.0, 1.0)
    """
    where = f"{FILE} [kpis."
    _check_names(settings.choose, f"{where}choose]")
    _check_names(settings.leave_out, f"{where}leave_out]")
    _check_bands(settings.bands, f"{where}bands]")
    _check_targets(settings.targets, f"{where}targets]")
    pack = read_pack(settings.pack) if settings.pack else Choice(kpis=settings.choose or tuple(KPIS))
    shown = dict.fromkeys((*pack.kpis, *settings.choose))
    own = dict.fromkeys((*settings.bands, *settings.targets), f"{FILE} of the company")
    return Choice(
        pack.pack, tuple(name for name in shown if name not in settings.leave_out), {**pack.bands, **settings.bands},
        {**pack.targets, **settings.targets}, {**pack.sources, **own},
    )  # fmt: skip


def _check_names(names: Iterable[str], where: str) -> None:
    if unknown := sorted(set(names) - set(KPIS)):
        raise WorkspaceError(
            "There is no such KPI", where=where, found=unknown, remedy="`spm kpis list` names all of them."
        )


def _check_bands(bands: Mapping[str, tuple[float, float]], where: str) -> None:
    _check_names(bands, where)
    if wrong := {name: list(ends) for name, ends in bands.items() if not ends[0] <= ends[1]}:
        raise WorkspaceError(
            "A band needs its lower end first", where=where, found=wrong, remedy="Write it as [low, high]."
        )
    _check_held(bands, where)


def _check_targets(targets: Mapping[str, float], where: str) -> None:
    _check_names(targets, where)
    if wrong := sorted(name for name, value in targets.items() if not np.isfinite(value)):
        raise WorkspaceError("A target is a number", where=where, found=wrong, remedy="Write it like 0.25.")
    if vague := sorted(name for name in targets if KPIS[name].direction == "context"):
        raise WorkspaceError(
            "A target needs a better side", where=where, found=vague,
            remedy="Set targets for KPIs of which more, or less, is better; `spm kpis list --json` says so.",
        )  # fmt: skip
    _check_held(targets, where)


def _check_held(names: Collection[str], where: str) -> None:
    """What nobody is to be held against, and what has another size for every unit and period."""
    if private := sorted(name for name in names if KPIS[name].id in NEVER_JUDGED):
        raise WorkspaceError(
            "Nobody is judged by lateness or by the words of his calls", where=where, found=private,
            remedy="Remove it: these KPIs are shown without a band or target.",
        )  # fmt: skip
    if sums := sorted(name for name in names if grows(name)):
        raise WorkspaceError(
            "One figure cannot hold for every person, team and period", where=where, found=sums,
            remedy="Amounts and counts grow with both: set quotas in the table quotas, or take a share or a mean.",
        )  # fmt: skip


def grows(name: str) -> bool:
    """Whether a KPI is larger for a larger unit or a longer period, as an amount or a count is."""
    kpi = KPIS[name]
    return kpi.sums or (kpi.rows is not None and kpi.unit in ("money", "count"))
