"""Learning curves: a figure per epoch, on training and on validation images."""

from collections.abc import Sequence

import plotly.graph_objects as go

from bloodapp.charts.style import ACCENT, GREY, LINE, SHIFTED, calm

_STEPS = tuple(figure * 10**power for power in range(4) for figure in (1, 2, 5))
"""Distances between the epochs that are written on an axis."""


def learning_curve(
    epochs: Sequence[float],
    training: Sequence[float | None],
    validation: Sequence[float | None],
    *,
    name: str,
    shifted: Sequence[float | None] | None = None,
    best_epoch: int | None = None,
    share: bool = False,
    height: int = 260,
    boundaries: Sequence[float] = (),
) -> go.Figure:
    """Draw one figure per epoch for training (grey, dotted) and validation (accent); None leaves a hole.

    `shifted` adds the same validation images under the realistic shift, dashed with diamonds. With `share` the
    axis is in percent. `best_epoch` marks the epoch whose weights were kept, `boundaries` where a phase ends.
    """
    number = ".1%" if share else ".3f"
    figure = go.Figure()
    drawn = [
        ("training", training, GREY, 2, "dot", "circle"),
        ("validation", validation, ACCENT, 2.5, "solid", "circle"),
    ]
    if shifted is not None:
        drawn.append(("validation, shifted", shifted, SHIFTED, 2.5, "dash", "diamond"))
    for label, values, colour, width, dash, symbol in drawn:
        figure.add_scatter(
            x=list(epochs),
            y=list(values),
            name=label,
            mode="lines+markers" if len(epochs) < 40 else "lines",
            line={"color": colour, "width": width, "shape": "linear", "dash": dash},
            marker={"size": 7 if symbol == "diamond" else 5, "symbol": symbol},
            hovertemplate=f"{label} %{{y:{number}}}<extra></extra>",
        )
    calm(figure, height, t=40)
    figure.update_layout(hovermode="x unified")
    last = max(epochs, default=1)
    every = next((step for step in _STEPS if 8 * step >= last), _STEPS[-1])
    figure.update_xaxes(title={"text": "epoch", "standoff": 4}, tickformat="d", tick0=0, dtick=every)
    figure.update_yaxes(
        title={"text": name, "standoff": 8}, showgrid=True, nticks=5, tickformat=".0%" if share else None
    )
    for boundary in boundaries:
        figure.add_vline(x=boundary, line={"color": LINE, "width": 1})
    if best_epoch is not None:
        figure.add_vline(
            x=best_epoch,
            line={"color": LINE, "width": 1.5, "dash": "dot"},
            annotation={"text": "kept", "showarrow": False, "font": {"size": 11, "color": GREY}},
            annotation_position="bottom left" if share else "top left",
        )
    return figure


def overlay(
    curves: Sequence[tuple[str, str, Sequence[float], Sequence[float | None]]],
    *,
    name: str,
    share: bool = False,
    dashed: Sequence[tuple[str, str, Sequence[float], Sequence[float | None]]] = (),
    height: int = 300,
) -> go.Figure:
    """Draw the curves of several runs over each other: (title, colour, epochs, values); None leaves a hole.

    `dashed` are further curves of the same runs, in their colours. With `share` the axis is in percent.
    """
    number = ".1%" if share else ".3f"
    figure = go.Figure()
    for line, drawn in (("solid", curves), ("dot", dashed)):
        for title, colour, epochs, values in drawn:
            figure.add_scatter(
                x=list(epochs),
                y=list(values),
                name=title,
                mode="lines+markers" if len(epochs) == 1 else "lines",
                line={"color": colour, "width": 2.2 if line == "solid" else 1.6, "dash": line},
                hovertemplate=f"{title} %{{y:{number}}}<extra></extra>",
                showlegend=False,
            )
    calm(figure, height, t=12)
    figure.update_layout(hovermode="x unified")
    figure.update_xaxes(title={"text": "epoch", "standoff": 4}, tickformat="d", nticks=8)
    figure.update_yaxes(
        title={"text": name, "standoff": 8}, showgrid=True, nticks=5, tickformat=".0%" if share else None
    )
    return figure
