"""Learning curves: a figure per epoch, on training and on validation images."""

import math
from collections.abc import Sequence

import plotly.graph_objects as go

from bloodapp.charts.style import ACCENT, GREY, LINE, SHIFTED, calm


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
) -> go.Figure:
    """Draw one figure per epoch for training (grey) and validation (accent); None leaves a hole.

    `shifted` adds the same validation images under the realistic shift. With `share` the axis is in
    percent. `best_epoch` marks the epoch whose weights were kept.
    """
    number = ".1%" if share else ".3f"
    figure = go.Figure()
    drawn = [("training", training, GREY, 2), ("validation", validation, ACCENT, 2.5)]
    if shifted is not None:
        drawn.append(("validation, shifted", shifted, SHIFTED, 2.5))
    for label, values, colour, width in drawn:
        figure.add_scatter(
            x=list(epochs),
            y=list(values),
            name=label,
            mode="lines+markers" if len(epochs) < 40 else "lines",
            line={"color": colour, "width": width, "shape": "linear"},
            marker={"size": 5},
            hovertemplate=f"{label} %{{y:{number}}}<extra></extra>",
        )
    calm(figure, height, t=40)
    figure.update_layout(hovermode="x unified")
    every = max(1, math.ceil(max(epochs, default=1) / 8))
    figure.update_xaxes(title={"text": "epoch", "standoff": 4}, tickformat="d", tick0=0, dtick=every)
    figure.update_yaxes(
        title={"text": name, "standoff": 8}, showgrid=True, nticks=5, tickformat=".0%" if share else None
    )
    if best_epoch is not None:
        figure.add_vline(
            x=best_epoch,
            line={"color": LINE, "width": 1.5, "dash": "dot"},
            annotation={"text": "kept", "showarrow": False, "font": {"size": 11, "color": GREY}},
            annotation_position="bottom left" if share else "top left",
        )
    return figure
