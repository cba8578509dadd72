"""What the revenue outlook shows: the same figures that the reports show."""

from __future__ import annotations

from spm_models.reports.outlook import LEVELS, PARTS, TIERS, Outlook, likelihood, outlook, top_deals, unit_label

__all__ = ["LEVELS", "PARTS", "TIERS", "Outlook", "likelihood", "outlook", "top_deals", "unit_label"]
