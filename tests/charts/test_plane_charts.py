"""The plane's points carry their ids, and a map over an image is readable without colour."""

import numpy as np

from bloodapp.charts.overlay import coloured, overlaid
from bloodapp.charts.plane import plane_chart
from bloodapp.classes import DEFAULT_CLASSES


def test_points_carry_ids_class_and_shape() -> None:
    """One trace a class with colour and shape of its own, one of crosses for the wrong answers."""
    labels, answers = np.array([0, 0, 1, 1, 2]), np.array([0, 1, 1, -1, -1])
    points, ids = np.arange(10.0).reshape(5, 2), np.array([10, 11, 12, 13, 14])
    centres = np.full((8, 2), np.nan)
    centres[:3] = 1
    figure = plane_chart(points, labels, DEFAULT_CLASSES, ids, answers=answers, centres=centres)
    (crosses,) = [trace for trace in figure.data if trace.name == "wrong answer"]
    assert list(crosses.customdata) == [11]
    assert "taken for" in crosses.text[0]
    shown = np.concatenate([trace.customdata for trace in figure.data])
    assert sorted(shown) == [10, 11, 12, 13, 14]
    named = [trace for trace in figure.data if trace.showlegend and trace is not crosses]
    assert [trace.name for trace in named] == [one.title for one in DEFAULT_CLASSES]
    assert len({trace.marker.symbol for trace in named}) == len(DEFAULT_CLASSES)
    assert [trace.marker.color for trace in named] == [one.colour for one in DEFAULT_CLASSES]
    weak, strong = [trace for trace in figure.data if trace.name == DEFAULT_CLASSES[1].title]
    assert weak.marker.opacity < strong.marker.opacity, "what was asked is stronger"
    assert (list(weak.customdata), list(strong.customdata)) == ([13], [12])
    assert [one.text for one in figure.layout.annotations] == [one.title for one in DEFAULT_CLASSES[:3]]
    heights = [one.y for one in figure.layout.annotations]
    assert len(set(heights)) == 3, "no name lies on another"


def test_no_points_are_no_error() -> None:
    """An empty dataset draws an empty plane."""
    figure = plane_chart(np.zeros((0, 2)), [], DEFAULT_CLASSES, [])
    assert not figure.layout.annotations


def test_colours_rise_in_brightness() -> None:
    """Whoever sees no colour sees more light where there is more."""
    grey = coloured(np.linspace(0, 1, 50)) @ np.array([0.2126, 0.7152, 0.0722])
    assert (np.diff(grey) > 0).all()


def test_a_line_runs_around_the_half() -> None:
    """White beside dark around what has more than half of the most; nothing of an empty map but a faint veil."""
    image = np.full((24, 24, 3), 128, np.uint8)
    light = np.zeros((24, 24), np.float32)
    light[6:14, 6:14] = 1
    shown = overlaid(image, light, scale=2)
    assert shown.shape == (48, 48, 3)
    assert shown.dtype == np.uint8
    white = (shown == 255).all(2)
    assert white.any()
    rows, columns = np.nonzero(white)
    assert (rows.min(), columns.max()) == (11, 28)
    assert (shown[20, 20] != shown[2, 2]).any()
    empty = overlaid(image, np.zeros((24, 24), np.float32))
    assert not (empty == 255).all(2).any()
    assert np.ptp(empty, axis=(0, 1)).max() == 0
