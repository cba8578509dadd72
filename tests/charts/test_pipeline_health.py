"""Charts of a pipeline review: each stage and activity with its name, marks where the figures say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from spm_models.charts.pipeline_health import relation_chart, stages_chart
from spm_models.translations import Translator

STAGES = pd.DataFrame(
    {"stage": ["Offer", "Lead"], "place": [1, 0], "km_median_days": [np.nan, 15.0], "low": [20.0, 14.0],
     "high": [np.nan, 17.0], "median_days": [9.0, 14.0]}
)  # fmt: skip
RELATION = pd.DataFrame(
    {"kind": ["call", "meeting", "demo"], "odds_ratio": [1.1, 1.6, np.nan], "low": [0.9, 1.4, np.nan],
     "high": [1.3, 1.9, np.nan], "raw_odds_ratio": [1.4, np.nan, np.nan],
     "verdict": ["no_clear_relation", "wins_more", "not_enough_data"]}
)  # fmt: skip


def names(axes):
    return [label.get_text() for label in axes.get_yticklabels()]


@pytest.mark.parametrize("locale", ["en", "tr", "ar"])
def test_stages_stand_in_their_order_with_both_medians(locale):
    t = Translator(locale)
    axes = stages_chart(t, STAGES, width=640).axes[0]
    assert names(axes) == ["Lead", "Offer"] and list(axes.get_yticks()) == [1, 0]
    marks = axes.collections[1].get_offsets()
    assert marks[0].tolist() == [15.0, 1.0] and np.ma.getmaskarray(marks)[1].any() | np.isnan(marks.data[1, 0])
    assert t("relation.charts.days") == axes.get_xlabel()


@pytest.mark.parametrize("locale", ["en", "tr", "ar"])
def test_the_strongest_relation_stands_on_top_and_what_is_not_known_is_left_out(locale):
    t = Translator(locale)
    axes = relation_chart(t, RELATION, width=640).axes[0]
    assert names(axes) == [t.name("activity_kinds", kind) for kind in ("meeting", "call")]
    assert [point[0] for point in axes.collections[1].get_offsets().tolist()] == [1.6, 1.1]
    first, last = sorted(axes.get_xlim())
    assert first < 0.9 and last > 1.9 and first * last == pytest.approx(1.0), "one lies in the middle"


def test_without_any_estimate_the_chart_is_empty_and_does_not_fail():
    empty = RELATION.assign(odds_ratio=np.nan)
    assert names(relation_chart(Translator("en"), empty, width=640).axes[0]) == []
