"""The safety chart shows what the arrays say, and tells its lines apart without colour."""

import numpy as np

from bloodapp.charts.safety import STRONG, safety_chart

STRENGTHS = (0.0, 0.5, 1.0, 2.0)


def table(*shares: float) -> np.ndarray:
    """Shares with an interval of 5 points to either side, (S, 3)."""
    values = np.array(shares)
    return np.stack([values, values - 0.05, values + 0.05], 1)


def test_the_whole_pipeline_and_its_operations_are_lines() -> None:
    """Every line has its figures; what is not measured yet is left out."""
    whole = table(0.05, 0.1, np.nan, 0.5)
    figure = safety_chart(STRENGTHS, whole, [("noise", table(0.05, 0.05, 0.1, 0.2))], threshold=0.2)
    lines = {trace.name: trace for trace in figure.data}
    assert lines["whole pipeline"].x.tolist() == [0, 0.5, 2]
    assert lines["whole pipeline"].y.tolist() == [0.05, 0.1, 0.5]
    assert lines["noise"].y.tolist() == [0.05, 0.05, 0.1, 0.2]
    assert lines["noise"].customdata[0].tolist() == [0.0, 0.1]


def test_lines_differ_by_dash_and_symbol() -> None:
    """No two lines of the legend share dash and symbol; further operations are thin and without a legend."""
    operations = [(f"operation {i}", table(0, 0.1, 0.1, 0.2)) for i in range(STRONG + 3)]
    figure = safety_chart(STRENGTHS, table(0, 0.1, 0.3, 0.5), operations, threshold=0.2)
    told = [(trace.line.dash, trace.marker.symbol) for trace in figure.data if trace.showlegend]
    assert len(told) == STRONG + 1
    assert len(set(told)) == len(told)
    thin = [trace for trace in figure.data if trace.name in dict(operations[STRONG:])]
    assert len(thin) == 3
    assert all(trace.mode == "lines" for trace in thin)


def test_the_threshold_and_the_strength_that_destroys_are_drawn() -> None:
    """A line at the threshold, one at strength 1, one where the whole pipeline destroys; all within the axes."""
    figure = safety_chart(STRENGTHS, table(0, 0.1, 0.3, 0.5), threshold=0.25, destroyed_at=1.0)
    across = [shape.y0 for shape in figure.layout.shapes if shape.type == "line" and shape.y0 == shape.y1]
    down = [shape.x0 for shape in figure.layout.shapes if shape.type == "line" and shape.x0 == shape.x1]
    assert across == [0.25]
    assert down == [1, 1.0]
    assert figure.layout.yaxis.range[1] >= 0.55
    assert figure.layout.paper_bgcolor == "rgba(0,0,0,0)"


def test_nothing_measured_yet_is_an_empty_frame() -> None:
    """Before the first figure the axes and the threshold are there."""
    nothing = np.full((4, 3), np.nan)
    figure = safety_chart(STRENGTHS, nothing, [("noise", nothing)], threshold=0.2)
    assert figure.layout.yaxis.range[1] > 0.2
    assert all(len(trace.x) == 0 for trace in figure.data)
