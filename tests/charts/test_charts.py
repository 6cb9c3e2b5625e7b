"""The charts say what the arrays say, and carry what a click must lead to."""

import numpy as np
import plotly.graph_objects as go
import pytest

from bloodapp.charts.bars import count_chart, probability_chart, probability_histogram, recall_chart
from bloodapp.charts.change import change_chart
from bloodapp.charts.confusion import confusion_chart
from bloodapp.charts.curves import learning_curve
from bloodapp.charts.gap import REPORTED, RunPoint, gap_chart
from bloodapp.charts.slices import Row, slices_chart
from bloodapp.charts.style import percent, rgba
from bloodapp.classes import DEFAULT_CLASSES

MATRIX = np.diag([50] * 8)
MATRIX[3, 5] = 7
CHANGES = np.tile([0.8, 0.9, 0.1, 0.04, 0.16], (8, 1))
CHANGES[2] = np.nan
CHANGES[5] = (0.7, 0.71, 0.01, -0.05, 0.07)
SLICES = [
    Row("a", "Brightness: darkest fifth", 300, 0.8, 0.75, 0.84, 0.92, worse=True),
    Row("b", "Source: slide 2", 40, 0.95, 0.84, 0.99, 0.9, worse=False),
]


def every_chart() -> list[go.Figure]:
    """One figure of each kind."""
    shares = np.linspace(0.02, 0.23, 8)
    intervals = np.stack([np.full(8, 0.9), np.full(8, 0.8), np.full(8, 0.95)], 1)
    return [
        confusion_chart(MATRIX, DEFAULT_CLASSES),
        confusion_chart(
            MATRIX, DEFAULT_CLASSES, numbers="columns", order=[7, 6, 5, 4, 3, 2, 1, 0], chosen=(3, 5)
        ),
        learning_curve([1, 2], [0.5, 0.4], [0.6, None], name="loss", best_epoch=1),
        probability_chart(shares, DEFAULT_CLASSES),
        count_chart(range(8), DEFAULT_CLASSES),
        recall_chart(intervals, None, DEFAULT_CLASSES),
        recall_chart(intervals, intervals - 0.1, DEFAULT_CLASSES),
        gap_chart(),
        change_chart(CHANGES[0], CHANGES, DEFAULT_CLASSES),
        gap_chart(REPORTED, [RunPoint("mine", 0.96, 0.86, 1712, "val", chosen=True)]),
        probability_histogram({"right": shares, "wrong": shares[:1], "unsure": []}, "Monocyte"),
        slices_chart(SLICES, 0.9, chosen="a", under_shift=True),
    ]


@pytest.mark.parametrize("number", range(12))
def test_charts_are_transparent_and_plain_json(number):
    """Every figure has a clear background and can be sent to a browser or a report."""
    figure = every_chart()[number]
    assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0,0,0,0)"
    assert "NaN" not in figure.to_json()
    assert figure.layout.font.color is None, "the theme chooses the colour of text"


def test_every_cell_of_the_matrix_can_be_clicked():
    """Each of the 64 cells is one bar that carries true, predicted, count and rate."""
    bars = confusion_chart(MATRIX, DEFAULT_CLASSES).data[0]
    cells = np.asarray(bars.customdata)
    assert cells.shape == (64, 4)
    found = {(int(t), int(p)): (int(n), r) for t, p, n, r in cells}
    assert found[3, 5] == (7, pytest.approx(7 / 57))
    assert found[0, 1] == (0, 0)
    for (true, predicted), place, base in zip(found, bars.x, bars.base, strict=True):
        assert (place, base + 0.5) == (predicted, true)


def test_a_cell_is_itself_in_every_order():
    """Reordered, the same counts stand under the same names, and a click tells the same classes."""
    order = [3, 5, 0, 1, 2, 4, 6, 7]
    figure = confusion_chart(MATRIX, DEFAULT_CLASSES, order=order, chosen=(3, 5))
    bars = figure.data[0]
    for (true, predicted, count, _), x, base in zip(bars.customdata, bars.x, bars.base, strict=True):
        assert (order[int(base + 0.5)], order[x]) == (true, predicted)
        assert count == MATRIX[true, predicted]
    assert figure.layout.xaxis.ticktext[:2] == ("IG", "Monocyte")
    assert (figure.layout.shapes[0].x0, figure.layout.shapes[0].y0) == (1 - 0.48, -0.5)


def test_counts_and_rates_are_written_into_the_cells():
    """The texts are counts, or percentages of the row or of the column; empty cells stay empty."""

    def texts(**how):
        return sorted(
            note.text for note in confusion_chart(MATRIX, DEFAULT_CLASSES, **how).layout.annotations
        )

    assert texts() == ["50"] * 8 + ["7"]
    assert texts(numbers="rows") == ["100"] * 7 + ["12.3", "87.7"]
    assert texts(numbers="columns") == ["100"] * 7 + ["12.3", "87.7"]
    columns = confusion_chart(MATRIX, DEFAULT_CLASSES, numbers="columns").data[0].customdata
    assert next(share for t, p, _, share in columns if (t, p) == (5, 5)) == pytest.approx(50 / 57)


def luminance(rgb):
    """Relative luminance of red, green and blue, 0 to 255, as WCAG 2 defines it."""
    parts = np.asarray(rgb) / 255
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4) @ [
        0.2126,
        0.7152,
        0.0722,
    ]


@pytest.mark.parametrize(("page", "text"), [((255, 255, 255), (35, 29, 51)), ((22, 19, 31), (234, 230, 244))])
def test_every_number_in_the_matrix_is_readable(page, text):
    """Whatever the share, on a right cell or a wrong one, contrast is at least 4.5 in the light and dark theme."""
    for count in (1, 10, 30, 60, 74, 75, 90, 100):
        matrix = np.array([[count, 100 - count], [100 - count, count]])
        figure = confusion_chart(matrix, DEFAULT_CLASSES[:2])
        shades = {
            tuple(cell[:2]): shade
            for cell, shade in zip(figure.data[0].customdata, figure.data[0].marker.color, strict=True)
        }
        for note in figure.layout.annotations:
            red, green, blue, alpha = map(float, shades[note.y, note.x].removeprefix("rgba(")[:-1].split(","))
            under = luminance(alpha * np.array([red, green, blue]) + (1 - alpha) * np.array(page))
            over = luminance((255, 255, 255) if note.font.color else text)
            high, low = max(under, over), min(under, over)
            assert (high + 0.05) / (low + 0.05) >= 4.5, (note.text, shades[note.y, note.x])


def test_right_wrong_and_unsure_are_told_apart_without_colour():
    """Three hatchings; every image is counted once, in the bin of its probability."""
    groups = {"right": [0.97, 0.99, 1.0], "wrong": [0.02], "unsure": [0.45, 0.55]}
    figure = probability_histogram(groups, "Monocyte")
    assert len({bars.marker.pattern.shape for bars in figure.data}) == 3
    counts = {bars.name: np.asarray(bars.customdata)[:, 0] for bars in figure.data}
    assert {name: values.sum() for name, values in counts.items()} == {"right": 3, "wrong": 1, "unsure": 2}
    assert counts["right"][-1] == 3


def test_a_slice_that_is_surely_worse_has_its_own_mark():
    """Worse slices are filled triangles, others rings; each row tells its key wherever it is clicked."""
    figure = slices_chart(SLICES, 0.9)
    rows, worse, others = figure.data
    assert [key for (key,) in rows.customdata] == ["a", "b"]
    assert (worse.marker.symbol, others.marker.symbol) == ("triangle-left", "circle-open")
    assert (worse.customdata[0][0], others.customdata[0][0]) == ("a", "b")
    assert len(slices_chart([], 0.9).data) == 1


def test_a_few_images_do_not_spread_the_axis():
    """The line of a slice of two images ends at the edge that the others need."""
    few = Row("c", "Finding: Blurred", 2, 1.0, 0.34, 1.0, 0.9, worse=False)
    figure = slices_chart([*SLICES, few], 0.9)
    left = figure.layout.xaxis.range[0]
    assert left == slices_chart(SLICES, 0.9).layout.xaxis.range[0] == pytest.approx(0.72)
    assert figure.data[2].error_x.arrayminus[-1] == pytest.approx(1 - left)


def test_a_class_without_images_draws():
    """A row of zeros is neither divided by nor coloured."""
    figure = confusion_chart(np.zeros((8, 8), int), DEFAULT_CLASSES)
    assert not figure.layout.annotations


def test_all_reported_pairs_are_drawn():
    """Sixteen pairs from five teams, each with both numbers, all grey."""
    assert len(REPORTED) == 16
    assert len({point.system for point in REPORTED}) == 5
    points = gap_chart().data[1]
    assert list(zip(points.x, points.y, strict=True)) == [(p.own, p.hidden) for p in REPORTED]
    assert all(point.hidden < point.own for point in REPORTED)


def test_the_two_kinds_of_points_are_told_apart():
    """Runs and reports have their own legend entry, and the runs' says that it is another test."""
    figure = gap_chart(REPORTED, [RunPoint("mine", 0.96, 0.86, 1712, "val")])
    names = [trace.name for trace in figure.data if trace.showlegend is not False]
    assert "hidden set" in names[0]
    assert "not the same test" in names[1]
    assert figure.data[2].customdata[0][0] == "mine"
    assert "1,712 images of the val part" in figure.data[2].hovertext[0]


def test_a_poor_run_is_still_on_the_chart():
    """The axes reach down to runs that do badly."""
    figure = gap_chart(REPORTED, [RunPoint("poor", 0.2, 0.05)])
    assert figure.layout.xaxis.range[0] < 20
    assert figure.layout.yaxis.range[0] < 5


def test_probabilities_keep_the_class_order():
    """The bars are in class order, the first class on top, the best one in full colour."""
    figure = probability_chart([0.1, 0.7, 0.2] + [0.0] * 5, DEFAULT_CLASSES)
    assert list(figure.data[0].y) == [c.title for c in DEFAULT_CLASSES]
    assert figure.layout.yaxis.autorange == "reversed"
    assert figure.data[0].marker.color[1] == rgba(DEFAULT_CLASSES[1].colour, 1)
    assert figure.data[0].text[1] == "70.0 %"


def test_unknown_recall_leaves_a_hole():
    """A class without images has no dot, and the axis does not mind."""
    table = np.full((8, 3), np.nan)
    table[0] = (0.9, 0.8, 0.95)
    figure = recall_chart(table, table, DEFAULT_CLASSES)
    assert "NaN" not in figure.to_json()
    assert figure.layout.xaxis.range[0] < 0.9


def test_text_of_shares():
    """Shares are written as percent, unknown ones as a dash."""
    assert percent(0.973) == "97.3 %"
    assert percent(float("nan")) == "-"
    assert rgba("#4C6EF5", 0.5) == "rgba(76, 110, 245, 0.500)"


def test_every_class_shows_its_change_in_its_own_colour():
    """Before is joined to after, the interval of the change is strong only where it leaves out 0."""
    figure = change_chart(CHANGES[0], CHANGES, DEFAULT_CLASSES)
    titles = list(figure.layout.yaxis.ticktext)
    assert titles == ["All images", *(c.title for c in DEFAULT_CLASSES)]
    levels = {trace.y[0]: trace for trace in figure.data if trace.mode == "lines+markers"}
    assert list(levels[1].x) == [0.8, 0.9]
    assert levels[6].marker.color[1] == DEFAULT_CLASSES[5].colour
    assert 3 not in levels, "a class without images has no dots"
    ends = {trace.y[0]: trace for trace in figure.data if trace.mode == "lines"}
    assert list(ends[6].x) == [-0.05, 0.07]
    assert ends[6].line.color == rgba(DEFAULT_CLASSES[5].colour, 0.35)
    assert ends[1].line.color == rgba(DEFAULT_CLASSES[0].colour, 0.95)


@pytest.mark.parametrize("reach", [0.004, 0.021, 0.173, 0.55, 1.0])
def test_the_axis_of_changes_is_even_about_zero(reach):
    """Its ticks are round, at most five, lie inside, and one of them is 0."""
    row = np.array([0.5, 0.5, 0.0, -reach, reach])
    figure = change_chart(row, np.tile(row, (8, 1)), DEFAULT_CLASSES)
    ticks = list(figure.layout.xaxis2.tickvals)
    assert 3 <= len(ticks) <= 5 and 0 in ticks
    assert ticks == [-tick for tick in reversed(ticks)]
    assert max(ticks) <= figure.layout.xaxis2.range[1]
