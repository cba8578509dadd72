"""Every exception of the workbench, under one base class.

A message always answers four questions: what went wrong, where, what was found there, and what to do.
Errors carry a stable ``code`` and their ``values``, so that pages and reports can word them in the
reader's language and tests can check facts instead of prose.
"""

from __future__ import annotations

from typing import Any, ClassVar


class SpmError(Exception):
    """Base class of all errors that the workbench raises on purpose.

    Parameters
    ----------
    what : str
        What went wrong, one sentence without a full stop at the end.
    where : str, optional
        File, line, table, column or setting.
    found : object, optional
        What stood there instead of what was expected.
    remedy : str, optional
        What the reader can do about it.
    **values : object
        Further facts for programs (never secrets).

    Examples
    --------
    >>> print(SpmError("No such stage", where="spm.toml [stages]", found="Wn", remedy="Add it to [stages].won"))
    No such stage (in spm.toml [stages]; found 'Wn'). Add it to [stages].won
    """

    code: ClassVar[str] = "error"

    def __init__(
        self, what: str, *, where: str | None = None, found: object = None, remedy: str | None = None, **values: Any
    ) -> None:
        self.what, self.where, self.found, self.remedy, self.values = what, where, found, remedy, values
        super().__init__(str(self))

    def __str__(self) -> str:
        facts = [f"in {self.where}"] if self.where else []
        facts += [f"found {self.found!r}"] if self.found is not None else []
        sentence = self.what + (f" ({'; '.join(facts)})" if facts else "")
        return f"{sentence}. {self.remedy}" if self.remedy else sentence

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.what, self.where, self.found, self.remedy, self.values)


def _rebuild(
    kind: type[SpmError], what: str, where: str | None, found: object, remedy: str | None, values: dict[str, Any]
) -> SpmError:
    return kind(what, where=where, found=found, remedy=remedy, **values)


class WorkspaceError(SpmError):
    """The workspace folder or its spm.toml cannot be used."""

    code = "workspace"


class SourceError(SpmError):
    """A source file or database cannot be read at all (single bad rows are quarantined instead)."""

    code = "source"


class MissingTableError(SpmError):
    """Something was asked of a table that the source does not have."""

    code = "missing_table"


class QualityGateError(SpmError):
    """Too many rows were rejected for the results to mean anything."""

    code = "quality_gate"


class PeriodError(SpmError):
    """A date, period or fiscal calendar that does not exist."""

    code = "period"


class MoneyError(SpmError):
    """Amounts that cannot be added: a currency without a rate on that day."""

    code = "money"


class TranslationError(SpmError):
    """A message or locale that the catalogues do not have."""

    code = "translation"


class NotEnoughDataError(SpmError):
    """There is too little to learn from; the caller names its fallback."""

    code = "not_enough_data"


class StatisticsError(SpmError):
    """Numbers from which nothing can be estimated: negative counts, a rate above one."""

    code = "statistics"


class ModelError(SpmError):
    """A model was used before it was fitted, or its stored file cannot be trusted."""

    code = "model"


class PublishedError(SpmError):
    """Published results are missing, damaged or of an unknown version."""

    code = "published"


class AccessDeniedError(SpmError):
    """The viewer may not see this, or there is no viewer (default deny)."""

    code = "access_denied"


class JournalError(SpmError):
    """Something a person wrote cannot be taken as it is."""

    code = "journal"


class RunError(SpmError):
    """A run could not start or finish."""

    code = "run"


class ReportError(SpmError):
    """A report was executed or rendered without success."""

    code = "report"


class KernelStartError(ReportError):
    """The kernel of a report did not come up; another try may help."""


class PageError(SpmError):
    """The page server cannot start or serve."""

    code = "page"
