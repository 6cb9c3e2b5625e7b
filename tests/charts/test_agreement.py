"""The chart of one run beside others: a mark for each figure and run, intervals strong where they leave out 0."""

import numpy as np
import pytest

from bloodapp.charts.agreement import Beside, difference_chart
from bloodapp.charts.change import in_points, ticks

ROWS = ("Accuracy", "Balanced accuracy", "Basophil")
SURE, OPEN, NONE = (0.03, 0.01, 0.05), (0.01, -0.02, 0.04), (np.nan,) * 3


def test_each_run_has_its_own_symbol_and_an_unknown_figure_none() -> None:
    """Two runs, three figures: five marks, in words with points and interval; 0 is marked, the figures named."""
    others = [Beside("one", np.array([SURE, OPEN, NONE])), Beside("two", np.array([OPEN, OPEN, SURE]))]
    figure = difference_chart(ROWS, others, overall=2)
    marks = [trace for trace in figure.data if trace.mode == "markers"]
    assert [len(trace.x) for trace in marks] == [2, 3]
    assert len({trace.marker.symbol for trace in marks}) == len({trace.marker.color for trace in marks}) == 2
    assert "+3.0 points beside one" in marks[0].hovertext[0] and "+1.0 to +5.0" in marks[0].hovertext[0]
    assert figure.layout.yaxis.ticktext == ROWS and figure.layout.showlegend
    low, high = figure.layout.xaxis.range
    assert low == -high and high > 0.05


def test_intervals_that_leave_out_0_are_drawn_strong() -> None:
    """By width as well as by opacity; a single run needs no legend."""
    figure = difference_chart(ROWS, [Beside("one", np.array([SURE, OPEN, NONE]))], overall=2)
    sure, unsure = (trace for trace in figure.data if trace.mode == "lines")
    assert sure.line.width > unsure.line.width and not figure.layout.showlegend
    assert [x for x in sure.x if x == x] == [0.01, 0.05] and [x for x in unsure.x if x == x] == [-0.02, 0.04]


@pytest.mark.parametrize("reach", [0.004, 0.03, 0.11, 0.6])
def test_ticks_are_round_points(reach: float) -> None:
    """On both sides of 0, inside the axis, read as points."""
    found = ticks(reach)
    assert found == [-each for each in reversed(found)] and max(found) <= reach and len(found) in (3, 5)
    assert in_points([-0.02, 0, 0.005]) == ["−2", "0", "+0.5"]
