"""The scoreboard's figures: what a review of so many images finds, and a detector as its threshold moves."""

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from bloodapp.charts.style import ACCENT, GREY, LINE, calm, rgba

RECALL = ACCENT
"""Colour of what was found."""

PRECISION = "#1F9D94"
"""Colour of what is right among the flagged."""


def budget_chart(
    found: npt.ArrayLike,
    best: npt.ArrayLike,
    chance: npt.ArrayLike,
    *,
    looked_at: int,
    height: int = 320,
) -> go.Figure:
    """Draw the share of all faults that the first n images hold, beside the best possible order and any order.

    Args:
        found: the share that the first 0, 1, … M flagged images hold, (M + 1,).
        best: that of the best order for every number of images on the axis, (A + 1,), A at least 1.
        chance: that of any order, on average, (A + 1,).
        looked_at: the number of images that is marked.
    """
    held, most = np.asarray(found, np.float64), len(np.asarray(best)) - 1
    last = len(held) - 1
    figure = go.Figure()
    for name, values, dash in (("best possible", best, "dot"), ("in any order", chance, "solid")):
        x = _thinned(most)
        line = {"color": GREY, "width": 1.5, "dash": dash}
        y = np.asarray(values, np.float64)[x]
        figure.add_scatter(x=x, y=y, mode="lines", line=line, name=name, hoverinfo="skip")
    shown = _thinned(min(last, most))
    figure.add_scatter(
        x=shown,
        y=held[shown],
        mode="lines",
        line={"color": ACCENT, "width": 3},
        fill="tozeroy",
        fillcolor=rgba(ACCENT, 0.10),
        name="most urgent first",
        hovertemplate="the first %{x:,} images: %{y:.1%} of the faults<extra></extra>",
    )
    if last < most:  # beyond the last finding nobody is told where to look
        figure.add_scatter(
            x=[last, most],
            y=[held[-1]] * 2,
            mode="lines",
            line={"color": ACCENT, "width": 2, "dash": "dot"},
            name="nothing flagged any more",
            showlegend=False,
            hovertemplate="after the last finding: %{y:.1%}<extra></extra>",
        )
    here = float(held[min(looked_at, last)])
    figure.add_scatter(
        x=[looked_at, looked_at],
        y=[0, here],
        mode="lines+markers",
        line={"color": ACCENT, "width": 1.5},
        marker={"size": [0, 12], "color": ACCENT, "opacity": 1},
        cliponaxis=False,
        showlegend=False,
        hoverinfo="skip",
    )
    calm(figure, height, t=36)
    figure.update_layout(hovermode="closest")
    figure.update_xaxes(
        title={"text": "images looked at", "standoff": 4}, range=[0, most], tickformat=",d", nticks=8
    )
    figure.update_yaxes(
        title={"text": "faults found", "standoff": 8},
        range=[0, 1.03],
        tickformat=".0%",
        tickvals=[0, 0.25, 0.5, 0.75, 1],
        showgrid=True,
    )
    return figure


def sweep_chart(
    thresholds: npt.ArrayLike,
    precision: npt.ArrayLike,
    recall: npt.ArrayLike,
    *,
    threshold: float,
    height: int = 260,
) -> go.Figure:
    """Draw precision and recall over the threshold, the present one marked; NaN leaves a hole."""
    steps = np.asarray(thresholds, np.float64)
    figure = go.Figure()
    for name, values, colour in (("precision", precision, PRECISION), ("recall", recall, RECALL)):
        shares = np.asarray(values, np.float64)
        known = [None if np.isnan(value) else float(value) for value in shares]
        figure.add_scatter(
            x=steps,
            y=known,
            mode="lines",
            name=name,
            line={"color": colour, "width": 2.5, "shape": "hv"},
            hovertemplate=f"{name} %{{y:.1%}}<extra></extra>",
        )
        here = known[int(np.argmin(np.abs(steps - threshold)))]
        if here is not None:
            figure.add_scatter(
                x=[threshold],
                y=[here],
                mode="markers",
                marker={"size": 11, "color": colour},
                showlegend=False,
                hoverinfo="skip",
                cliponaxis=False,
            )
    calm(figure, height, t=36, r=20)
    figure.update_layout(hovermode="x unified")
    figure.add_vline(x=threshold, line={"color": LINE, "width": 2})
    figure.update_xaxes(
        title={"text": "threshold", "standoff": 4},
        range=[steps[0], steps[-1]],
        tickformat=".2f",
        tickvals=[0.25, 0.5, 0.75, 1],
    )
    figure.update_yaxes(range=[0, 1.04], tickformat=".0%", tickvals=[0, 0.25, 0.5, 0.75, 1], showgrid=True)
    return figure


def _thinned(last: int) -> npt.NDArray[np.int64]:
    """At most 400 positions from 0 to `last`: a curve needs no more, and the page stays small."""
    return np.unique(np.linspace(0, last, 400).astype(np.int64))
