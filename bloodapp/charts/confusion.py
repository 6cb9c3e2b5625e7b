"""The confusion matrix as a heat map whose cells can be clicked."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from bloodapp.charts.style import ACCENT, GREY, calm, percent, rgba
from bloodapp.classes import CellClass

_SHORT = 14
_MISTAKE = "#E03131"


def confusion_chart(
    matrix: npt.ArrayLike,
    classes: Sequence[CellClass],
    *,
    rates: bool = False,
    chosen: tuple[int, int] | None = None,
    height: int = 520,
) -> go.Figure:
    """Draw a confusion matrix (C, C), rows true: shade = share of the row, text = count or rate.

    Right answers are in the accent colour, mistakes in red, so that a dark red cell is a problem.
    Every cell carries `customdata` (true, predicted, count, rate). The cells are bars: Plotly's
    heat maps take no part in selections (plotly.js#170), bars do. `chosen` is outlined.
    """
    counts = np.asarray(matrix, np.int64)
    support = counts.sum(1, keepdims=True)
    share = np.divide(counts, support, out=np.zeros(counts.shape), where=support > 0)
    titles = [c.title for c in classes]
    true, predicted = (axis.ravel() for axis in np.indices(counts.shape))
    # The eye must see 1 % of mistakes: shades of mistakes grow with the square root.
    strength = np.where(true == predicted, share.ravel() * 0.85, np.sqrt(share.ravel()) * 0.95)
    colours = [
        rgba(ACCENT if t == p else _MISTAKE, 0.05 + float(s) * 0.9) if n else rgba(GREY, 0.07)
        for t, p, n, s in zip(true, predicted, counts.ravel(), strength, strict=True)
    ]
    bars = go.Bar(
        x=predicted,
        y=np.ones(len(true)),
        base=true - 0.5,
        width=0.96,
        marker={"color": colours, "cornerradius": 4, "line": {"width": 0}},
        customdata=[
            [int(t), int(p), int(n), float(s)]
            for t, p, n, s in zip(true, predicted, counts.ravel(), share.ravel(), strict=True)
        ],
        hovertext=[
            f"<b>{titles[t]}</b> "
            + (f"named right: {n:,}" if t == p else f"taken for <b>{titles[p]}</b>: {n:,}")
            + f"<br>{percent(s)} of its {int(support[t, 0]):,} images"
            for t, p, n, s in zip(true, predicted, counts.ravel(), share.ravel(), strict=True)
        ],
        hovertemplate="%{hovertext}<extra></extra>",
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 1}},
        showlegend=False,
    )
    figure = calm(go.Figure(bars), height, t=56)
    # Annotations, unlike a trace of text, keep their strength when a cell is selected.
    for t, p, n, s, strong in zip(
        true, predicted, counts.ravel(), share.ravel(), strength > 0.5, strict=True
    ):
        if n:
            figure.add_annotation(
                x=p,
                y=t,
                text=_rate(s) if rates else f"{n:,}",
                showarrow=False,
                font={"size": 13, "color": "#FFFFFF"} if strong else {"size": 13},
            )
    places = list(range(len(titles)))
    figure.update_layout(barmode="overlay", bargap=0, clickmode="event+select", hovermode="closest")
    figure.update_xaxes(
        title={"text": "predicted", "standoff": 6},
        side="top",
        tickvals=places,
        ticktext=[_short(c) for c in classes],
        tickangle=-35,
        range=[-0.5, len(titles) - 0.5],
    )
    figure.update_yaxes(
        title={"text": "given label", "standoff": 18},
        tickvals=places,
        ticktext=[_short(c) for c in classes],
        range=[len(titles) - 0.5, -0.5],
    )
    if chosen is not None:
        row, column = chosen
        edges = {"x0": column - 0.48, "x1": column + 0.48, "y0": row - 0.5, "y1": row + 0.5}
        figure.add_shape(type="rect", **edges, line={"color": ACCENT, "width": 3}, layer="above")
    return figure


def _rate(share: float) -> str:
    text = f"{100 * share:.1f}"
    return "<0.1" if text == "0.0" else text.removesuffix(".0") if text == "100.0" else text


def _short(cell_class: CellClass) -> str:
    title = cell_class.title
    if len(title) <= _SHORT:
        return title
    return cell_class.key.upper() if len(cell_class.key) <= 3 else title[: _SHORT - 1] + "…"
