"""Learning rates: the loss that each brought in a search, and how the rate went in a training."""

from collections.abc import Sequence

import plotly.graph_objects as go

from bloodapp.charts.style import ACCENT, GREY, LINE, calm


def rates_chart(
    rates: Sequence[float], losses: Sequence[float | None], suggested: float | None, *, height: int = 220
) -> go.Figure:
    """Draw the loss over the learning rate on a logarithmic axis; a dotted line marks the suggested rate."""
    figure = go.Figure()
    figure.add_scatter(
        x=list(rates),
        y=list(losses),
        mode="lines",
        line={"color": ACCENT, "width": 2.5},
        hovertemplate="rate %{x:.1e}<br>loss %{y:.3f}<extra></extra>",
        showlegend=False,
    )
    calm(figure, height)
    figure.update_xaxes(
        type="log", title={"text": "learning rate", "standoff": 4}, dtick=1, exponentformat="power"
    )
    figure.update_yaxes(title={"text": "loss", "standoff": 8}, showgrid=True, nticks=5)
    if suggested:
        figure.add_vline(x=suggested, line={"color": GREY, "width": 1.5, "dash": "dot"})
    return figure


def schedule_chart(
    epochs: Sequence[float],
    rates: Sequence[float | None],
    *,
    boundaries: Sequence[float] = (),
    height: int = 260,
) -> go.Figure:
    """Draw the learning rate of each epoch on a logarithmic axis; None leaves a hole, `boundaries` are marked."""
    figure = go.Figure()
    figure.add_scatter(
        x=list(epochs),
        y=list(rates),
        mode="lines+markers" if len(epochs) < 40 else "lines",
        line={"color": GREY, "width": 2},
        marker={"size": 5},
        hovertemplate="epoch %{x}: %{y:.2e}<extra></extra>",
        showlegend=False,
    )
    calm(figure, height, t=40)
    figure.update_xaxes(title={"text": "epoch", "standoff": 4}, tickformat="d", nticks=6)
    known = [rate for rate in rates if rate]
    wide = bool(known) and max(known) >= 8 * min(known)
    figure.update_yaxes(
        title={"text": "learning rate", "standoff": 8},
        type="log",
        showgrid=True,
        tickformat="~g",
        **({"dtick": 1} if wide else {"nticks": 3}),
    )
    for epoch in boundaries:
        figure.add_vline(x=epoch, line={"color": LINE, "width": 1})
    return figure
