"""The charts of a target drop: what stands in them, for one image as well, and without words in one colour."""

import numpy as np
import plotly.graph_objects as go

from bloodapp.charts.target import Row, confidence_chart, distance_chart, shares_chart, spread_chart
from bloodapp.classes import DEFAULT_CLASSES


def row(key: str, distance: float, moved: bool) -> Row:
    """One measure whose target lies `distance` to the right."""
    train = (-1.5, -0.5, 0.0, 0.5, 1.5)
    return Row(key.title(), train, tuple(value + distance for value in train), distance, moved, "hint", key)


def check(figure: go.Figure) -> go.Figure:
    """The figure, if it can be drawn as JSON and lies on whatever is behind it."""
    assert figure.to_json()
    assert figure.layout.paper_bgcolor == "rgba(0,0,0,0)"
    return figure


def test_distances_stand_beside_their_measures() -> None:
    """Each measure once, its distance in figures, the target's medians where they are, keys to click."""
    rows = [row("brightness", 4.9, True), row("hue", 0.1, False)]
    figure = check(distance_chart(rows, chosen="brightness"))
    assert list(figure.layout.yaxis.ticktext) == ["<b>Brightness</b>", "Hue"]
    texts = [note.text for note in figure.layout.annotations]
    assert "<b>4.9</b>" in texts and "0.1" in texts
    marks = [trace for trace in figure.data if trace.mode == "markers"]
    assert [trace.name for trace in marks] == ["training images", "your images"]
    assert [trace.marker.symbol for trace in marks] == ["line-ns", "diamond"]
    assert [each[0] for each in marks[1].customdata] == ["brightness", "hue"]
    np.testing.assert_allclose(marks[1].x, [4.9, 0.1])
    check(distance_chart([]))


def test_a_spread_sums_to_all_images() -> None:
    """Both distributions are shares of their own images, whatever lies outside; ranges are named."""
    rng = np.random.default_rng(0)
    train, target = rng.normal(0, 1, 500), np.append(rng.normal(5, 1, 50), [np.nan, 500.0])
    figure = check(spread_chart(train, target, "grey levels", [("95 %", -2, 2), ("built", -3, 7)]))
    for trace in figure.data[:2]:
        assert np.sum(trace.y) == np.float64(1) or abs(np.sum(trace.y) - 1) < 1e-9
    assert [trace.name for trace in figure.data[2:]] == ["95 %", "built"]
    assert len({trace.line.dash for trace in figure.data[2:]}) == 2


def test_one_value_and_none_can_be_drawn() -> None:
    """One image, or none with this measure, is no error."""
    check(spread_chart(np.array([1.0]), np.array([1.0]), ""))
    check(spread_chart(np.array([np.nan]), np.array([]), ""))


def test_shares_by_class() -> None:
    """Bars in the classes' colours with their intervals, the training's shares as diamonds."""
    shares = np.tile([0.125, 0.1, 0.2], (8, 1))
    figure = check(shares_chart(shares, [0.1] * 7 + [np.nan], DEFAULT_CLASSES))
    np.testing.assert_allclose(figure.data[0].error_x.array, 0.075)
    assert figure.data[1].marker.symbol == "diamond"
    assert list(figure.layout.yaxis.ticktext) == [each.title for each in DEFAULT_CLASSES]


def test_confidence_with_and_without_its_own() -> None:
    """The run's own answers are filled, the target's are a line; a run without its own has the line alone."""
    shares = [0.0] * 19 + [1.0]
    assert [trace.fill for trace in check(confidence_chart(shares, shares)).data] == ["tozeroy", None]
    assert len(check(confidence_chart(shares)).data) == 1
