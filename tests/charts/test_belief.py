"""The charts on probabilities show what the arrays say, and tell their lines apart without colour."""

import numpy as np

from bloodapp.charts.belief import Points, coverage_chart, rejection_chart, reliability_chart

BEFORE = Points([0.4, 0.7, 0.95], [[0.5, 0.3, 0.7], [0.8, 0.7, 0.9], [0.99, 0.98, 1.0]], [9, 40, 900])
AFTER = Points([0.5, 0.98], [[0.5, 0.4, 0.6], [0.99, 0.98, 1.0]], [30, 919])


def test_reliability_before_and_after() -> None:
    """Both lines with their intervals, the diagonal, and the counts as text; they differ by dash and symbol."""
    figure = reliability_chart(BEFORE, AFTER)
    lines = {trace.name: trace for trace in figure.data if trace.name}
    before, after = lines["as the network says"], lines["calibrated"]
    assert list(before.y) == [0.5, 0.8, 0.99]
    assert np.allclose(after.error_y.array, [0.1, 0.01])
    assert (before.line.dash, before.marker.symbol) != (after.line.dash, after.marker.symbol)
    diagonal = next(trace for trace in figure.data if trace.line.dash == "dash")
    assert list(diagonal.x) == list(diagonal.y) == [0, 1]
    (bars,) = (trace for trace in figure.data if trace.type == "bar")
    assert list(bars.text) == ["30", "919"]
    assert figure.layout.xaxis.range[0] <= 0.4
    assert figure.layout.yaxis.domain[0] > figure.layout.yaxis2.domain[1]
    assert figure.layout.paper_bgcolor == "rgba(0,0,0,0)"


def test_reliability_without_a_calibration() -> None:
    """One line, named as what it is; the shift has another symbol; without bars the points have all the room."""
    figure = reliability_chart(BEFORE, under_shift=True, bars=False)
    (line,) = (trace for trace in figure.data if trace.showlegend is not False)
    assert (line.name, line.marker.symbol) == ("as the network says", "diamond")
    assert all(trace.type == "scatter" for trace in figure.data)


def test_no_images_are_an_empty_frame() -> None:
    """Axes and the diagonal alone."""
    nothing = Points(np.zeros(0), np.zeros((0, 3)), np.zeros(0, int))
    assert len(reliability_chart(nothing).data[1].x) == 0


def test_coverage_over_the_promise() -> None:
    """Clean and shifted with their bands, the promise they are held to, and all within the axes."""
    promises = [0.8, 0.9, 0.95]
    clean = np.array([[0.8, 0.78, 0.82], [0.9, 0.88, 0.92], [0.95, 0.93, 0.97]])
    figure = coverage_chart(promises, clean, clean - 0.4, promise=0.9)
    lines = {trace.name: trace for trace in figure.data if trace.name}
    assert list(lines["as promised"].y) == promises
    assert lines["clean"].line.dash != lines["shifted"].line.dash != lines["as promised"].line.dash
    assert figure.layout.yaxis.range[0] <= 0.38
    assert [shape.x0 for shape in figure.layout.shapes] == [0.9]
    assert "shifted" not in {trace.name for trace in coverage_chart(promises, clean, None, promise=0.9).data}


def test_rejection() -> None:
    """Curves without the jumps of the last few, the goal, and where the bar stands on each."""
    kept = np.arange(1, 1001)
    curve = (1 - kept / 1000, 1 - 0.05 * kept / 1000)
    figure = rejection_chart(
        curve, (curve[0], curve[1] - 0.2), goal=0.99, marks=[(0.1, 0.96), (0.3, float("nan"))]
    )
    lines = {trace.name: trace for trace in figure.data if trace.name}
    assert max(lines["clean"].x) == 1 - 21 / 1000
    assert len(lines["clean"].x) <= 400
    assert min(lines["clean"].x) == 0
    marks = [trace for trace in figure.data if trace.mode == "markers"]
    assert [list(trace.x) for trace in marks] == [[0.1]]
    assert figure.layout.yaxis.range[0] < 0.75
