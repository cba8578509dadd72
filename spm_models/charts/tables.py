"""Tables that are pleasant to read in a notebook: columns formatted by the role that the caller names."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import pandas as pd
from pandas.io.formats.style import Styler

from spm_models.translations import Translator


def readable(t: Translator, frame: pd.DataFrame, *, money: Sequence[str] = (), share: Sequence[str] = ()) -> Styler:
    """A frame for the eye: amounts, shares, days and numbers in the reader's form; missing values as a dash.

    Parameters
    ----------
    t : Translator
    frame : DataFrame
        Its index is not shown.
    money, share : sequence of str
        Columns that are amounts in the company's currency, or shares (0.62 is shown as 62%). Columns of days are
        recognised by their type; other numbers are shown with at most one decimal, those below 1 with two.

    Examples
    --------
    >>> rows = pd.DataFrame({"stage": ["<b>Offer"], "amount": [1250000.4], "win_probability": [0.617]})
    >>> html = readable(Translator("en", currency="USD"), rows, money=["amount"], share=["win_probability"]).to_html()
    >>> ["&lt;b&gt;Offer" in html, "$1,250,000" in html, "62%" in html]
    [True, True, True]
    """

    def shown(column: Any) -> Any:
        if column in money:
            return t.money
        if column in share:
            return t.percent
        kind = frame[column].dtype
        if pd.api.types.is_datetime64_any_dtype(kind):
            return t.day
        if pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind):
            return lambda value: (
                t.number(None) if pd.isna(value) else t.number(value, 2 if 0 < abs(value) < 1 else None)
            )
        return lambda value: "–" if value is None or value is pd.NA or value != value else escape(str(value))

    numbers = {*money, *share, *frame.select_dtypes("number").columns}
    sides: Any = {
        column: [{"selector": "", "props": f"text-align: {'right' if column in numbers else 'left'}"}]
        for column in frame
    }
    styler = frame.reset_index(drop=True).style.format({column: shown(column) for column in frame})
    return styler.hide(axis="index").set_table_styles(sides)
