"""The banner of reports and pages whose data are out of date."""

from __future__ import annotations

from markupsafe import Markup

from spm_models.published.freshness import Stale
from spm_models.translations import Translator


def banner(t: Translator, stale: Stale | None) -> Markup:
    """Say how old the data are, above everything else; nothing while they are fresh."""
    if stale is None:
        return Markup("")
    said = t.html("common.stale", n=stale.days, day=stale.last_day)
    return Markup('<aside class="stale" role="note"><strong>{}</strong> {}</aside>').format(
        t("common.stale_title"), said
    )
