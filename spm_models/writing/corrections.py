"""A value in the data that somebody knows to be wrong: asked for where it stands, mended where it was entered."""

from __future__ import annotations

from spm_models.errors import JournalError
from spm_models.journal import Entry
from spm_models.published import Results
from spm_models.workspace import Workspace
from spm_models.writing.speaker import known_speaker
from spm_models.writing.way import USUAL, Writing, write

#: Columns of ``opportunities`` that people see on pages and reports, and may ask to have corrected.
COLUMNS = ("amount", "stage", "status", "expected_close_on", "closed_on", "created_on", "rep_id", "account_id",
           "product_id", "loss_reason")  # fmt: skip


def correct(
    workspace: Workspace, opportunity_id: str, column: str, value: str, reason: str, how: Writing = USUAL
) -> Entry:
    """Ask for a correction of one value of one deal.

    The source stays the only truth: whoever keeps it finds the request on the page *Data health*, and the first run
    after the source holds the value uses it.

    Parameters
    ----------
    workspace : Workspace
    opportunity_id : str
        An open or closed deal of the published results, within the scope of who speaks.
    column : str
        One of :data:`COLUMNS`.
    value, reason : str
        What it should be, and how he knows.
    how : Writing

    Raises
    ------
    JournalError
        When there is no such deal among those that he may see, or no such column.
    """
    by = known_speaker(workspace, how.person, "correction")
    if column not in COLUMNS:
        raise JournalError("This column cannot be corrected here", where=column, remedy=f"Use one of {COLUMNS}.")
    results = Results.open(workspace, scope=by.allowed)
    for table in ("deal_scores", "closed_deals"):
        deals = results[table]
        found = deals[deals["opportunity_id"] == opportunity_id]
        if len(found):
            body = {"table": "opportunities", "column": column, "value": value, "reason": reason}
            about = ("opportunity", opportunity_id)
            return write(workspace, by, how, "correction", about, body, rep_id=str(found["rep_id"].iloc[0]))
    raise JournalError(
        "There is no such deal among those that you may see", where="opportunity_id", found=opportunity_id,
        remedy="Check the deal's identifier on the page Deals.",
    )  # fmt: skip
