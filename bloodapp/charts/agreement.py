"""One run beside others on the same images: how far it is from each, overall and by class, with intervals."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from bloodapp.charts.change import in_points, ticks
from bloodapp.charts.style import GREY, LINE, RUNS, calm, rgba

_SYMBOLS = ("diamond", "circle", "square", "triangle-up", "x", "star", "hexagon", "cross")
_ROW, _FRAME = 30, 64


@dataclass(frozen=True, eq=False)
class Beside:
    """The differences from one other run.

    Attributes:
        name: as people read it.
        table: float64 (R, 3), a row of the chart each: the difference as a share, and the ends of its interval.
    """

    name: str
    table: npt.NDArray[np.float64]


def difference_chart(
    rows: Sequence[str], others: Sequence[Beside], *, overall: int, height: int | None = None
) -> go.Figure:
    """Draw a row for each figure and in it a mark and an interval for each other run; the first `overall` rows apart.

    To the right of 0 the run on show is better. Unknown figures are NaN and left out. An interval that does not touch
    0 is drawn strong; runs differ by symbol as well as by colour.
    """
    figure = go.Figure()
    spread = 0.0 if len(others) < 2 else min(0.22, 0.6 / (len(others) - 1))
    for number, one in enumerate(others):
        table = np.asarray(one.table, np.float64)
        places = np.arange(len(rows), dtype=np.float64) + spread * (number - (len(others) - 1) / 2)
        known = ~np.isnan(table).any(1)
        _intervals(figure, table[known], places[known], RUNS[number % len(RUNS)])
        _marks(figure, one.name, table[known], places[known], np.asarray(rows)[known], number)
    most = [np.nanmax(np.abs(one.table[:, 1:]), initial=0.0) for one in others]
    reach = 1.08 * max(0.01, *most) if most else 0.01
    room = _ROW + 8 * max(len(others) - 1, 0)
    calm(figure, height or room * len(rows) + _FRAME, t=40, b=40)
    figure.update_layout(showlegend=len(others) > 1, hovermode="closest")
    figure.update_xaxes(
        range=[-reach, reach],
        showgrid=True,
        tickvals=ticks(reach),
        ticktext=in_points(ticks(reach)),
        title={"text": "← the other is better · difference in points · this run is better →", "standoff": 10},
        title_font={"color": GREY, "size": 12},
    )
    figure.update_yaxes(tickvals=list(range(len(rows))), ticktext=list(rows), range=[len(rows) - 0.45, -0.55])
    figure.add_vline(x=0, line={"color": GREY, "width": 1.5}, layer="below")
    if 0 < overall < len(rows):
        figure.add_hline(y=overall - 0.5, line={"color": LINE, "width": 1})
    return figure


def _intervals(
    figure: go.Figure, table: npt.NDArray[np.float64], places: npt.NDArray[np.floating], colour: str
) -> None:
    """Two traces, for the intervals that touch 0 and those that do not."""
    sure = (table[:, 1] > 0) | (table[:, 2] < 0)
    for chosen, alpha, width in ((sure, 0.95, 4), (~sure, 0.4, 3)):
        gaps = np.full(int(chosen.sum()), np.nan)
        figure.add_scatter(
            x=np.column_stack([table[chosen, 1:], gaps]).ravel(),
            y=np.column_stack([places[chosen], places[chosen], gaps]).ravel(),
            mode="lines",
            line={"color": rgba(colour, alpha), "width": width},
            hoverinfo="skip",
            showlegend=False,
        )


def _marks(
    figure: go.Figure,
    name: str,
    table: npt.NDArray[np.float64],
    places: npt.NDArray[np.floating],
    rows: npt.NDArray[np.str_],
    number: int,
) -> None:
    figure.add_scatter(
        x=table[:, 0],
        y=places,
        name=f"beside {name}",
        mode="markers",
        marker={
            "size": 10,
            "color": RUNS[number % len(RUNS)],
            "symbol": _SYMBOLS[number % len(_SYMBOLS)],
            "opacity": 1,
        },
        hovertext=[
            f"<b>{row}</b><br>{_points(value)} points beside {name}<br>95 %: {_points(low)} to {_points(high)}"
            for row, (value, low, high) in zip(rows, table, strict=True)
        ],
        hovertemplate="%{hovertext}<extra></extra>",
    )


def _points(share: float) -> str:
    return f"{100 * share:+.1f}".replace("-", "−")
