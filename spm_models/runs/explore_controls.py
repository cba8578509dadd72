"""Controls for a what-if: they answer as they are moved; where nobody can move them, the answer stands still."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from markupsafe import Markup

from spm_models.errors import ModelError
from spm_models.runs.explore import Exploration
from spm_models.win_probability.what_if import CAUTION, MOST, WhatIf, what_if

COUNTS = {"more_meetings": "Meetings", "more_demos": "Demos", "more_calls": "Calls", "more_emails": "E-mails",
          "more_contacts": "Contacts"}  # fmt: skip
SHOWN = 6  #: reasons in the answer


class Controls:
    """One control for each input that may be varied, and the answer below.

    Parameters
    ----------
    exploration : Exploration
    live : bool, optional
        Whether somebody can move controls; found out from the front end without it: JupyterLab can be asked for
        input, papermill and nbconvert cannot.
    """

    def __init__(self, exploration: Exploration, live: bool | None = None) -> None:
        import ipywidgets as widgets

        self.exploration = exploration
        self.live = _somebody_is_there() if live is None else live
        row = exploration.row.iloc[0]
        wide: dict[str, Any] = {"style": {"description_width": "8rem"}}
        stages = list(exploration.known.tables.stages)
        self.inputs: dict[str, Any] = {}
        if row["stage"] in stages:
            self.inputs["stage"] = widgets.Dropdown(options=stages, value=row["stage"], description="Stage", **wide)
        if not pd.isna(row["amount"]):
            self.inputs["amount"] = widgets.FloatText(value=float(row["amount"]), description="Amount", **wide)
        due = None if pd.isna(row["expected_close_on"]) else row["expected_close_on"].date()
        self.inputs["expected_close_on"] = widgets.DatePicker(value=due, description="Close date", **wide)
        known = {"more_contacts": "contacts"}
        for name, label in COUNTS.items():
            if not pd.isna(row[known.get(name, "activities")]):
                self.inputs[name] = widgets.BoundedIntText(value=0, min=0, max=MOST, description=f"+ {label}", **wide)
        self._start = {name: control.value for name, control in self.inputs.items()}
        self.answer = widgets.HTML(value=self.words())
        for control in self.inputs.values():
            control.observe(self._follow, names="value")
        self.box = widgets.VBox([*self.inputs.values(), self.answer])

    @property
    def changes(self) -> dict[str, Any]:
        """What differs from the deal as it is."""
        now = {name: control.value for name, control in self.inputs.items()}
        return {name: value for name, value in now.items() if value is not None and value != self._start[name]}

    def words(self) -> Markup:
        """The answer to what is set now, or what to correct."""
        try:
            found = what_if(
                self.exploration.model.model, self.exploration.row, stages=self.exploration.known.tables.stages,
                **self.changes,
            )  # fmt: skip
        except ModelError as error:
            return Markup("<p role='status'><b>{}.</b> {}</p>").format(error.what, error.remedy)
        return _answer(self.exploration, found)

    def _follow(self, _: Mapping[str, Any]) -> None:
        self.answer.value = self.words()

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        still = {"text/html": str(self.words()), "text/plain": repr(self)}
        return dict(self.box._repr_mimebundle_()) if self.live else still

    def __repr__(self) -> str:
        return f"Controls of {self.exploration.deal}: {', '.join(self.inputs)}"


def _answer(exploration: Exploration, found: WhatIf) -> Markup:
    t = exploration.known.translator
    rows = Markup("").join(
        Markup("<tr><th scope='row'>{}</th><td>{}</td><td>{}</td></tr>").format(
            row["deal"], t.percent(row["win_probability"]), t.range(t.percent(row["low"]), t.percent(row["high"]))
        )
        for row in found.scores.to_dict("records")
    )
    told = exploration.sentences(found.after)["reason"].head(SHOWN)
    reasons = Markup("").join(Markup("<li>{}</li>").format(text) for text in told)
    return Markup(
        "<div role='status'><table><tr><th></th><th>win probability</th><th>80 % interval</th></tr>{}</table>"
        "<ul>{}</ul><p><i>{}</i></p></div>"
    ).format(rows, reasons, CAUTION)


def _somebody_is_there() -> bool:
    """Whether the front end that asked for this cell could answer a question."""
    from IPython import get_ipython

    shell = get_ipython()
    return bool(getattr(getattr(shell, "kernel", None), "_allow_stdin", False))
