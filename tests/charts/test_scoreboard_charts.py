"""The scoreboard's charts say what the arrays say."""

import numpy as np

from bloodapp.charts.scoreboard import budget_chart, sweep_chart


def test_the_budget_chart_marks_what_was_looked_at() -> None:
    """The mark stands on the curve; after the last finding the curve goes on flat to the end of the axis."""
    figure = budget_chart([0, 0.2, 0.4], np.linspace(0, 1, 11), np.linspace(0, 0.5, 11), looked_at=7)
    names = {trace.name: trace for trace in figure.data}
    assert list(names["most urgent first"].y) == [0, 0.2, 0.4]
    assert list(names["nothing flagged any more"].x) == [2, 10]
    assert (figure.data[-1].x[-1], figure.data[-1].y[-1]) == (7, 0.4)
    assert list(figure.layout.xaxis.range) == [0, 10]
    assert "NaN" not in figure.to_json()


def test_a_long_curve_is_thinned() -> None:
    """Ten thousand images make no heavier page than a few hundred, and both ends stay."""
    line = np.linspace(0, 1, 10_001)
    for trace in budget_chart(line, line, line, looked_at=300).data[:3]:
        assert len(trace.x) <= 400 and (trace.x[0], trace.x[-1]) == (0, 10_000)


def test_the_sweep_marks_the_present_threshold() -> None:
    """Each curve carries a dot at the threshold; a precision that nobody knows has none and leaves a hole."""
    steps = np.linspace(0.25, 1, 76)
    recall, precision = np.linspace(1, 0, 76), np.full(76, np.nan)
    figure = sweep_chart(steps, precision, recall, threshold=0.5)
    dots = [trace for trace in figure.data if trace.mode == "markers"]
    assert [(dot.x[0], round(dot.y[0], 3)) for dot in dots] == [(0.5, round(recall[25], 3))]
    assert "NaN" not in figure.to_json()
