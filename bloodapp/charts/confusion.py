"""The confusion matrix as a heat map whose cells can be clicked."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from bloodapp.charts.style import ACCENT, SHIFTED, calm, percent, rgba
from bloodapp.classes import CellClass

_SHORT = 14


def confusion_chart(
    matrix: npt.ArrayLike,
    classes: Sequence[CellClass],
    *,
    rates: bool = False,
    shifted: bool = False,
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
    right = SHIFTED if shifted else ACCENT
    colours = [
        rgba(right if t == p else "#E03131", 0.035 + float(s) * 0.9)
        for t, p, s in zip(true, predicted, strength, strict=True)
    ]
    bars = go.Bar(
        x=predicted,
        y=np.ones(len(true)),
        base=true - 0.5,
        width=0.96,
        marker={"color": colours, "cornerradius": 4, "line": {"width": 0}},
        customdata=np.stack([true, predicted, counts.ravel(), share.ravel()], axis=1),
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
    figure = go.Figure([bars, *_texts(true, predicted, counts.ravel(), share.ravel(), strength, rates)])
    calm(figure, height, t=56)
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
        title={"text": "given label", "standoff": 6},
        tickvals=places,
        ticktext=[_short(c) for c in classes],
        range=[len(titles) - 0.5, -0.5],
    )
    if chosen is not None:
        row, column = chosen
        edges = {"x0": column - 0.48, "x1": column + 0.48, "y0": row - 0.5, "y1": row + 0.5}
        figure.add_shape(type="rect", **edges, line={"color": ACCENT, "width": 3}, layer="above")
    return figure


def _texts(
    true: npt.NDArray[np.int64],
    predicted: npt.NDArray[np.int64],
    counts: npt.NDArray[np.int64],
    share: npt.NDArray[np.float64],
    strength: npt.NDArray[np.float64],
    rates: bool,
) -> list[go.Scatter]:
    """The numbers in the cells: white on strong shades, in the theme's colour on weak ones."""
    traces = []
    for strong in (False, True):
        shown = (counts > 0) & ((strength > 0.5) == strong)
        texts = [
            _rate(s) if rates else f"{n:,}" for n, s in zip(counts[shown], share[shown], strict=True)
        ]
        traces.append(
            go.Scatter(
                x=predicted[shown],
                y=true[shown],
                text=texts,
                mode="text",
                textfont={"size": 13, "color": "#FFFFFF"} if strong else {"size": 13},
                hoverinfo="skip",
                showlegend=False,
            )
        )
    return traces


def _rate(share: float) -> str:
    text = f"{100 * share:.1f}"
    return "<0.1" if text == "0.0" else text.removesuffix(".0") if text == "100.0" else text


def _short(cell_class: CellClass) -> str:
    title = cell_class.title
    if len(title) <= _SHORT:
        return title
    return cell_class.key.upper() if len(cell_class.key) <= 3 else title[: _SHORT - 1] + "…"
