"""The gap to typical colleagues by team or region: the work itself, the place, and chance, in money."""

from __future__ import annotations

import pandas as pd
from markupsafe import Markup

from spm_models.reports.export import Column
from spm_models.reports.parts import folded, join, paragraph, tile, tiles
from spm_models.reports.reading import Reading
from spm_models.translations import Translator

PLACE = ("territory", "absence")
_MONEY = ("typical", "work", "place", "luck", "sold", "room")


def gap_by_unit(reading: Reading, unit: str) -> pd.DataFrame:
    """Sums of the steps from typical colleagues to what was sold, one row a unit, by name.

    Parameters
    ----------
    reading : Reading
    unit : str
        ``team`` or ``region``; reps without one are told together.

    Returns
    -------
    DataFrame
        label, typical, work (steps that coaching can reach), place (territory, customers, season, days at work),
        luck, sold, and room: what reps whose work brings less than typical would bring with typical work. Amounts add
        up: typical + work + place + luck = sold.
    """
    rows = reading["coaching_gap"].query("reference == 'peers'")
    part = rows["step"].map({"start": "typical", "end": "sold", "luck": "luck"} | dict.fromkeys(PLACE, "place"))
    part = part.where(part.notna(), "work")
    wide = rows.assign(part=part).groupby(["rep_id", "part"])["amount"].sum().unstack(fill_value=0)
    wide = wide.reindex(columns=["typical", "work", "place", "luck", "sold"], fill_value=0.0)
    wide["room"] = -wide["work"].clip(upper=0.0)
    units = reading["reps"].drop_duplicates("rep_id").set_index("rep_id")[unit]
    label = units.reindex(wide.index).fillna("").replace("", reading.t("common.unassigned"))
    by = wide.groupby(label.rename("label"))[list(_MONEY)].sum().reset_index()
    return by.sort_values("label", key=lambda names: names.str.casefold(), ignore_index=True)


def in_short(t: Translator, gaps: pd.DataFrame) -> Markup:
    """The company's sums: what coaching can reach beside what it cannot."""
    total = gaps[list(_MONEY)].sum()
    biggest = gaps.sort_values(["room", "label"], ascending=[False, True]).iloc[0]
    said = (
        t.html("executive.most_room", team=biggest["label"], amount=t.compact_money(biggest["room"]))
        if biggest["room"] > 0
        else Markup("")
    )
    lede = t.html("executive.gap_lede", room=t.compact_money(total["room"]), typical=t.compact_money(total["typical"]))
    return join([
        paragraph(Markup("<strong>{}</strong> {}").format(lede, said), "lede"),
        tiles([
            tile(t("executive.room"), t.compact_money(total["room"]), t("executive.room_note")),
            tile(t("executive.place"), t.compact_money(total["place"], signed=True), t("executive.never_coached")),
            tile(t("executive.luck"), t.compact_money(total["luck"], signed=True), t("executive.luck_note")),
        ]),
    ])  # fmt: skip


def in_figures(t: Translator, gaps: pd.DataFrame, unit: str) -> Markup:
    """The steps of each unit as a table that opens on demand."""
    columns = [Column("label", unit)]
    columns += [Column(name, t(f"executive.{name}"), t.money, number=True) for name in _MONEY]
    return folded(t, gaps, columns, t("executive.gap_table", unit=unit))
