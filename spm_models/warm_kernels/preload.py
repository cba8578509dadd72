"""What notebooks, reports and pages import, for the warm parent; what loads on first use only is exercised."""

from __future__ import annotations

from importlib import import_module

#: DuckDB is not among them: its import starts a thread, and the parent must have none.
MODULES = (
    "numpy", "pandas", "pandas.io.formats.html", "pandas.io.formats.string",
    "pyarrow.parquet", "scipy.stats", "sklearn.linear_model", "statsmodels.api",
    "matplotlib.backends.backend_svg", "matplotlib_inline.backend_inline", "babel.dates",
    "spm_models.published.reader", "spm_models.journal", "spm_models.reports.per_rep", "spm_models.reports.per_team",
    "spm_models.reports.per_team_month", "spm_models.reports.per_company", "spm_models.charts.outlook",
    "spm_models.charts.waterfall", "spm_models.charts.signals", "spm_models.charts.ratings", "ipywidgets",
    "spm_models.apps.outlook_view", "spm_models.apps.outlook_sections",
)  # fmt: skip

for _name in MODULES:
    import_module(_name)


def warm_up() -> None:
    """Draw a small chart and say a few words in each language: fonts, drawing and catalogues are then loaded."""
    import pandas as pd

    from spm_models.charts.style import inline_svg
    from spm_models.charts.waterfall import waterfall_chart
    from spm_models.translations import LOCALES, Translator

    steps = pd.DataFrame({"label": ["a", "b", "c"], "value": [1.0, 1.0, 2.0]})
    for locale in LOCALES:
        t = Translator(locale, currency="TRY")
        inline_svg(waterfall_chart(t, steps, width=320), "warm-up")
        t.day(pd.Timestamp("2026-01-31")), t.percent(0.5), t.compact_money(1e6)
