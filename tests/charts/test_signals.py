"""The chart of a rep's signals, and how any figure becomes SVG in a page."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pandas as pd
import pytest

from spm_models.charts.signals import signals_chart
from spm_models.charts.style import COLOURS, inline_svg
from spm_models.translations import Translator

FINDINGS = pd.DataFrame(
    [
        ("activity", 14.0, 15.0, 14.4, 13.2, 15.6, "fine"),
        ("cycle", 90.0, 76.0, 84.0, 77.0, 92.0, "watch"),
        ("pipeline_creation", 2.0, 4.0, 2.6, 2.1, 3.2, "coaching_suggestion"),
        ("win_rate", 0.42, 0.3, 0.37, 0.33, 0.41, "doing_well"),
    ],
    columns=["signal", "actual", "expected", "pooled", "low", "high", "verdict"],
)
NOTHING_SEEN = FINDINGS.assign(actual=float("nan"), pooled=float("nan"), low=float("nan"), high=float("nan"),
                               verdict="not_enough_data")  # fmt: skip


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts]


@pytest.mark.parametrize("locale", ["en", "tr", "ar"])
def test_each_signal_stands_with_its_name_and_its_verdict_in_words(locale):
    t = Translator(locale)
    words = texts(signals_chart(t, FINDINGS, width=640))
    for name, verdict in zip(FINDINGS["signal"], FINDINGS["verdict"], strict=True):
        assert t(f"signals.{name}.name") in words and t(f"verdicts.{verdict}.name") in words


def test_the_first_row_stands_on_top_and_is_drawn_relative_to_its_expectation():
    axes = signals_chart(Translator("en"), FINDINGS, width=640).axes[0]
    pooled = [line.get_xdata()[0] for line in axes.lines if line.get_markersize() == 9]
    expected = [0.37 / 0.3 - 1, 2.6 / 4 - 1, 84 / 76 - 1, 14.4 / 15 - 1]  # drawn from the bottom
    assert pooled == pytest.approx(expected)


def test_a_signal_far_off_stays_within_the_chart():
    far = FINDINGS.assign(actual=[150.0, 900.0, 0.0, 0.95], high=FINDINGS["expected"] * 9)
    low, high = signals_chart(Translator("en"), far, width=344).axes[0].get_xlim()
    assert (low, high) == pytest.approx((-1.08, 1.08))


def test_without_data_the_verdict_says_so_and_nothing_is_drawn():
    figure = signals_chart(Translator("en"), NOTHING_SEEN, width=640)
    assert texts(figure).count("Not enough data") == 4
    assert all(pd.isna(line.get_xdata()[0]) for line in figure.axes[0].lines if line.get_markersize() in (8, 9))


def test_arabic_runs_from_right_to_left():
    left, right = signals_chart(Translator("ar"), FINDINGS, width=640).axes[0].get_xlim()
    assert left > 0 > right


def test_the_same_figure_gives_the_same_bytes_and_two_figures_share_no_names():
    def svg(name):
        return inline_svg(signals_chart(Translator("ar"), FINDINGS, width=344), name)

    assert svg("a") == svg("a")
    ids = [set(re.findall(r'\bid="([^"]+)"', svg(name))) for name in ("a", "b")]
    assert ids[0] and ids[0].isdisjoint(ids[1])
    referred = set(re.findall(r'href="#([^"]+)"', svg("a"))) | set(re.findall(r"url\(#([^)]+)\)", svg("a")))
    assert referred <= ids[0]


def test_svg_holds_paths_only_and_every_colour_follows_the_theme():
    svg = inline_svg(signals_chart(Translator("tr"), FINDINGS, width=640), "s")
    tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(svg).iter()}
    assert tags <= {"svg", "defs", "g", "path", "use", "clipPath", "rect"}
    assert "<!--" not in svg and "<text" not in svg and "<metadata" not in svg
    bare = re.sub(r"var\(--chart-\w+, #[0-9a-f]{6}\)", "", svg)
    assert set(re.findall(r"#[0-9a-f]{6}\b", bare)) <= {"#000000", "#ffffff"}
    assert set(re.findall(r"--chart-(\w+)", svg)) <= set(COLOURS)


def test_a_name_full_of_signs_is_drawn_as_it_is():
    from spm_models.charts.outlook import units_chart

    units = pd.DataFrame(
        {"label": ["$x_1$ & <b>--></b>", "سارة العتيبي"], "closed": [1e5, 2e5], "p10": [2e5, 3e5], "mean": [3e5, 4e5],
         "p90": [4e5, 6e5], "quota": [3.5e5, float("nan")]}
    )  # fmt: skip
    figure = units_chart(Translator("en", currency="USD"), units, width=640)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == units["label"].tolist()
    ElementTree.fromstring(inline_svg(figure, "u"))  # well-formed
