"""The confusion matrix as a heat map whose cells can be clicked."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from bloodapp.charts.style import ACCENT, GREY, calm, percent, rgba
from bloodapp.classes import CellClass

NUMBERS = {"counts": "Counts", "rows": "Of the label (recall)", "columns": "Of the prediction (precision)"}
"""What may stand in a cell: images, their share of the row, their share of the column; in percent."""

_SHORT = 14
_MISTAKE = "#E03131"
# A number is readable on a full cell in white and on a light one in the page's own colour, light or dark (contrast of
# 4.5 and more in both); on nothing between. So no cell is between.
_FULL_FROM = 0.75
_LIGHTEST, _LIGHT = 0.06, 0.78


def confusion_chart(
    matrix: npt.ArrayLike,
    classes: Sequence[CellClass],
    *,
    numbers: str = "counts",
    order: Sequence[int] | None = None,
    chosen: tuple[int, int] | None = None,
    height: int = 520,
) -> go.Figure:
    """Draw a confusion matrix (C, C), rows true: shade = share of the row, or of the column with `columns`.

    Right answers are in the accent colour, mistakes in red, so that a dark red cell is a problem. `numbers` is a key
    of NUMBERS, `order` the class numbers as they are to stand. Every cell carries `customdata` (true, predicted,
    count, share), whatever the order. The cells are bars: Plotly's heat maps take no part in selections
    (plotly.js#170), bars do. `chosen` is outlined.
    """
    counts = np.asarray(matrix, np.int64)
    order = list(range(len(classes))) if order is None else list(order)
    by_column = numbers == "columns"
    base = counts.sum(0 if by_column else 1, keepdims=True)
    share = np.divide(counts, base, out=np.zeros(counts.shape), where=base > 0)
    totals = np.broadcast_to(base, counts.shape)
    cells = [
        (row, column, order[row], order[column]) for row in range(len(order)) for column in range(len(order))
    ]
    bars = go.Bar(
        x=[column for _, column, _, _ in cells],
        y=np.ones(len(cells)),
        base=[row - 0.5 for row, _, _, _ in cells],
        width=0.96,
        marker={
            "color": [_shade(t == p, share[t, p], counts[t, p]) for _, _, t, p in cells],
            "cornerradius": 4,
            "line": {"width": 0},
        },
        customdata=[[t, p, int(counts[t, p]), float(share[t, p])] for _, _, t, p in cells],
        hovertext=[
            _text(classes[t], classes[p], int(counts[t, p]), float(share[t, p]), int(totals[t, p]), by_column)
            for _, _, t, p in cells
        ],
        hovertemplate="%{hovertext}<extra></extra>",
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 1}},
        showlegend=False,
    )
    figure = calm(go.Figure(bars), height, t=56)
    # Annotations, unlike a trace of text, keep their strength when a cell is selected.
    texts = [
        {
            "x": column,
            "y": row,
            "text": f"{counts[t, p]:,}" if numbers == "counts" else _rate(float(share[t, p])),
            "showarrow": False,
            "font": {"size": 13, "color": "#FFFFFF"} if _full(t == p, share[t, p]) else {"size": 13},
        }
        for row, column, t, p in cells
        if counts[t, p]
    ]
    figure.update_layout(annotations=texts)
    places = list(range(len(order)))
    names = [short_name(classes[k]) for k in order]
    figure.update_layout(barmode="overlay", bargap=0, clickmode="event+select", hovermode="closest")
    figure.update_xaxes(
        title={"text": "predicted", "standoff": 6},
        side="top",
        tickvals=places,
        ticktext=names,
        tickangle=-35,
        range=[-0.5, len(order) - 0.5],
    )
    figure.update_yaxes(
        title={"text": "given label", "standoff": 18},
        tickvals=places,
        ticktext=names,
        range=[len(order) - 0.5, -0.5],
    )
    if chosen is not None:
        row, column = (order.index(k) for k in chosen)
        edges = {"x0": column - 0.48, "x1": column + 0.48, "y0": row - 0.5, "y1": row + 0.5}
        figure.add_shape(type="rect", **edges, line={"color": GREY, "width": 3}, layer="above")
    return figure


def _text(
    true: CellClass, predicted: CellClass, count: int, share: float, total: int, by_column: bool
) -> str:
    what = f"taken for <b>{predicted.title}</b>" if true != predicted else "named right"
    base = f"taken for {predicted.title}" if by_column else f"labelled {true.title}"
    return f"<b>{true.title}</b> {what}: {count:,}<br>{percent(share)} of the {total:,} images {base}"


def _full(right: bool, share: float) -> bool:
    return right and share >= _FULL_FROM


def _shade(right: bool, share: float, count: int) -> str:
    if not count:
        return rgba(GREY, 0.07)
    if _full(right, share):
        return rgba(ACCENT, 1)
    # The eye must see 1 % of mistakes: shades of mistakes grow with the square root.
    strength = share if right else float(np.sqrt(share))
    return rgba(ACCENT if right else _MISTAKE, _LIGHTEST + (_LIGHT - _LIGHTEST) * strength)


def _rate(share: float) -> str:
    text = f"{100 * share:.1f}"
    return "<0.1" if text == "0.0" else text.removesuffix(".0") if text == "100.0" else text


def short_name(cell_class: CellClass) -> str:
    """A class where there is little room: its title, or where that is long its key in capitals or the title cut off."""
    title = cell_class.title
    if len(title) <= _SHORT:
        return title
    return cell_class.key.upper() if len(cell_class.key) <= 3 else title[: _SHORT - 1] + "…"
