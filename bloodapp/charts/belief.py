"""Can probabilities be believed: reliability, coverage of sets over their promise, accuracy over rejection."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from bloodapp.charts.style import ACCENT, GREY, LINE, SHIFTED, calm, rgba

_LEAST = 0.1
"""Where the axis of confidence begins at most: of eight classes the best has an eighth at least."""


@dataclass(frozen=True, eq=False)
class Points:
    """A reliability diagram of B bins.

    Attributes:
        confidence: (B,), mean confidence.
        right: (B, 3), share right with its interval.
        count: (B,), images.
    """

    confidence: npt.ArrayLike
    right: npt.ArrayLike
    count: npt.ArrayLike


def reliability_chart(
    before: Points,
    after: Points | None = None,
    *,
    under_shift: bool = False,
    bars: bool = True,
    height: int = 400,
) -> go.Figure:
    """Draw the share right over the confidence, as the network says and calibrated, above `bars` of how many images.

    On the dashed diagonal probabilities mean what they say; below it they promise too much. Grey open circles with
    a dotted line are the network's own, filled ones with a line are calibrated: so they differ by more than colour.
    """
    colour, symbol = (SHIFTED, "diamond") if under_shift else (ACCENT, "circle")
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        line={"color": GREY, "width": 1.2, "dash": "dash"},
        hoverinfo="skip",
        showlegend=False,
    )
    shown = after or before
    if after is not None:
        _points(figure, before, "as the network says", GREY, f"{symbol}-open", "dot", 1.6)
    name = "calibrated" if after is not None else "as the network says"
    _points(figure, shown, name, colour, symbol, "solid", 2.2)
    calm(figure, height, t=34, r=14)
    low = min(_floor(np.asarray(one.confidence, np.float64).min(initial=1)) for one in (before, shown))
    figure.update_layout(hovermode="closest", legend_y=1.03)
    figure.update_xaxes(
        title={"text": "confidence", "standoff": 4},
        range=[low, 1.025],
        tickformat=".0%",
        nticks=6,
        showgrid=True,
    )
    figure.update_yaxes(
        title={"text": "right", "standoff": 6}, range=[-0.02, 1.03], tickformat=".0%", showgrid=True
    )
    if bars:
        _counts(figure, shown, colour)
    corners = (("too careful", low + 0.01, 0.99, "left", "top"), ("too sure", 1.01, 0.0, "right", "bottom"))
    for text, x, y, side, edge in corners:
        figure.add_annotation(
            x=x,
            y=y,
            text=text,
            showarrow=False,
            xanchor=side,
            yanchor=edge,
            font={"size": 11.5, "color": GREY},
        )
    return figure


def coverage_chart(
    promises: Sequence[float],
    clean: npt.ArrayLike,
    shifted: npt.ArrayLike | None,
    *,
    promise: float,
    height: int = 320,
) -> go.Figure:
    """Draw how often sets hold the true class over what they promise, (P, 3) each: share, low, high."""
    figure = go.Figure()
    x = np.asarray(promises, np.float64)
    figure.add_scatter(
        x=x,
        y=x,
        mode="lines",
        line={"color": GREY, "width": 1.2, "dash": "dash"},
        name="as promised",
        hoverinfo="skip",
    )
    lines = [("clean", clean, ACCENT, "solid", "circle")]
    if shifted is not None:
        lines.append(("shifted", shifted, SHIFTED, "dashdot", "diamond"))
    lowest = 0.75
    for name, values, colour, dash, symbol in lines:
        table = np.asarray(values, np.float64)
        lowest = min(lowest, float(np.nanmin(table[:, 1])))
        _band(figure, x, table, colour)
        figure.add_scatter(
            x=x,
            y=table[:, 0],
            name=name,
            mode="lines+markers",
            line={"color": colour, "width": 2.4, "dash": dash},
            marker={"symbol": symbol, "size": 6},
            customdata=table[:, 1:3],
            hovertemplate=f"{name}, promised %{{x:.0%}}: %{{y:.1%}}<br>95 %: %{{customdata[0]:.1%}} to "
            "%{customdata[1]:.1%}<extra></extra>",
        )
    figure.add_vline(x=promise, line={"color": LINE, "width": 2})
    calm(figure, height, t=34, r=14)
    figure.update_layout(hovermode="closest")
    figure.update_xaxes(title={"text": "promised", "standoff": 4}, tickformat=".0%", nticks=6)
    figure.update_yaxes(
        title={"text": "holds the true class", "standoff": 6},
        tickformat=".0%",
        range=[_floor(lowest), 1.015],
        showgrid=True,
        nticks=6,
    )
    return figure


def rejection_chart(
    clean: tuple[npt.ArrayLike, npt.ArrayLike],
    shifted: tuple[npt.ArrayLike, npt.ArrayLike] | None,
    *,
    goal: float,
    marks: Sequence[tuple[float, float]] = (),
    height: int = 320,
) -> go.Figure:
    """Draw the share right of the images kept over the share handed to a person: two arrays (N,) for each curve.

    `goal` is a dotted line; `marks` are what the bar of the page comes to, clean and then shifted.
    """
    figure = go.Figure()
    curves = [("clean", clean, ACCENT, "solid", "circle")]
    if shifted is not None:
        curves.append(("shifted", shifted, SHIFTED, "dashdot", "diamond"))
    lowest = goal
    for name, (across, right), colour, dash, _ in curves:
        x, y = np.asarray(across, np.float64), np.asarray(right, np.float64)
        # Of the last few images kept the share jumps about, and says nothing.
        steady = np.arange(len(x)) >= min(20, len(x) - 1)
        chosen = np.flatnonzero(steady)[_thinned(int(steady.sum()))]
        lowest = min(lowest, float(y[chosen].min(initial=1)))
        figure.add_scatter(
            x=x[chosen],
            y=y[chosen],
            name=name,
            mode="lines",
            line={"color": colour, "width": 2.4, "dash": dash},
            hovertemplate=f"{name}: %{{x:.1%}} handed over, %{{y:.2%}} right of the rest<extra></extra>",
        )
    for (handed, left), (_, _, colour, _, symbol) in zip(marks, curves, strict=False):
        if left == left:
            figure.add_scatter(
                x=[handed],
                y=[left],
                mode="markers",
                marker={"color": colour, "size": 12, "symbol": symbol},
                cliponaxis=False,
                showlegend=False,
                hoverinfo="skip",
            )
    figure.add_hline(y=goal, line={"color": GREY, "width": 1.2, "dash": "dot"})
    calm(figure, height, t=34, r=14)
    figure.update_layout(hovermode="closest")
    figure.update_xaxes(
        title={"text": "handed to a person", "standoff": 4}, tickformat=".0%", range=[-0.01, 1], nticks=6
    )
    figure.update_yaxes(
        title={"text": "right of the rest", "standoff": 6},
        tickformat=".1%" if lowest > 0.9 else ".0%",
        range=[lowest - 0.04 * (1 - lowest) - 0.002, 1 + 0.03 * (1.02 - lowest)],
        showgrid=True,
        nticks=6,
    )
    return figure


def _points(
    figure: go.Figure, points: Points, name: str, colour: str, symbol: str, dash: str, width: float
) -> None:
    right, count = np.asarray(points.right, np.float64), np.asarray(points.count, np.int64)
    figure.add_scatter(
        x=np.asarray(points.confidence, np.float64),
        y=right[:, 0],
        name=name,
        mode="lines+markers",
        line={"color": colour, "width": width, "dash": dash},
        marker={"color": colour, "size": 9, "symbol": symbol, "line": {"color": colour, "width": 1.6}},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": right[:, 2] - right[:, 0],
            "arrayminus": right[:, 0] - right[:, 1],
            "color": rgba(colour, 0.5),
            "thickness": 1.6,
            "width": 0,
        },
        cliponaxis=False,
        customdata=np.column_stack([right[:, 1:], count]),
        hovertemplate=f"{name}: says %{{x:.1%}}, right %{{y:.1%}}<br>95 %: %{{customdata[0]:.0%}} to "
        "%{customdata[1]:.0%}, %{customdata[2]:,} images<extra></extra>",
    )


def _counts(figure: go.Figure, points: Points, colour: str) -> None:
    """Bars of how many images a bin has, on an axis of their own below."""
    count = np.asarray(points.count, np.int64)
    figure.add_bar(
        x=np.asarray(points.confidence, np.float64),
        y=np.sqrt(count),  # or a bin of ten stands for nothing beside one of a thousand
        width=0.045,
        yaxis="y2",
        marker={"color": rgba(colour, 0.35)},
        text=[f"{number:,}" for number in count],
        textposition="outside",
        textangle=0,
        textfont={"size": 10, "color": GREY},
        constraintext="none",
        cliponaxis=False,
        hoverinfo="skip",
        showlegend=False,
    )
    most = float(np.sqrt(count.max(initial=1)))
    figure.add_annotation(
        text="images, square-root scale",
        x=0,
        xref="paper",
        xanchor="left",
        y=0.19,
        yref="paper",
        yanchor="middle",
        showarrow=False,
        font={"size": 10, "color": GREY},
    )
    figure.update_layout(
        yaxis={"domain": [0.22, 1]},
        yaxis2={"domain": [0, 0.15], "range": [0, 1.45 * most], "visible": False, "fixedrange": True},
        xaxis={"anchor": "y2"},
    )


def _band(figure: go.Figure, x: npt.NDArray[np.float64], table: npt.NDArray[np.float64], colour: str) -> None:
    figure.add_scatter(
        x=np.concatenate([x, x[::-1]]),
        y=np.concatenate([table[:, 1], table[::-1, 2]]),
        mode="lines",
        fill="toself",
        fillcolor=rgba(colour, 0.13),
        line={"width": 0},
        hoverinfo="skip",
        showlegend=False,
    )


def _floor(share: float) -> float:
    """A little below a share, at a tenth."""
    return max(0.0, np.floor(10 * (share - 0.02)) / 10) if share > _LEAST else 0.0


def _thinned(number: int) -> npt.NDArray[np.int64]:
    """At most 400 of so many places: a curve needs no more, and the page stays small."""
    return (
        np.unique(np.linspace(0, max(number - 1, 0), 400).astype(np.int64))
        if number
        else np.zeros(0, np.int64)
    )
