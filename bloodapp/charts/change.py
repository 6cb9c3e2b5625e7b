"""What changed between two models on the same images: overall and by class, with the interval of the change."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from bloodapp.charts.style import ACCENT, GREY, LINE, calm, rgba
from bloodapp.classes import CellClass

OVERALL = "All images"


def change_chart(
    overall: npt.ArrayLike,
    by_class: npt.ArrayLike,
    classes: Sequence[CellClass],
    *,
    height: int | None = None,
) -> go.Figure:
    """Draw one row for all images and one a class: on the left before joined to after, on the right the change.

    `overall` is (5,): before, after, change, low, high, as shares; `by_class` (C, 5) the same by class. Unknown
    figures are NaN and left out. Each class has its own colour; a ring is before, a full dot after. An interval
    that does not touch the line at 0 is drawn strong.
    """
    table = np.concatenate([np.asarray(overall, np.float64)[None], np.asarray(by_class, np.float64)])
    titles = [OVERALL, *(c.title for c in classes)]
    colours = [ACCENT, *(c.colour for c in classes)]
    figure = make_subplots(rows=1, cols=2, shared_yaxes=True, horizontal_spacing=0.07)
    for place, (title, colour, row) in enumerate(zip(titles, colours, table, strict=True)):
        if not np.isnan(row).any():
            _levels(figure, place, title, colour, row)
            _change(figure, place, title, colour, row)
    calm(figure, height or 46 * len(titles) + 74, t=34)
    figure.update_layout(showlegend=False, hovermode="closest")
    known = table[~np.isnan(table).any(1)]
    low = min([0.9, *known[:, :2].min(1, initial=1.0).tolist()])
    reach = 1.08 * max([0.02, *np.abs(known[:, 3:]).max(1, initial=0.0).tolist()])
    figure.update_xaxes(
        range=[max(low - 0.06, -0.02), 1.012], tickformat=".0%", showgrid=True, nticks=6, row=1, col=1
    )
    marks = ticks(reach)
    figure.update_xaxes(
        range=[-reach, reach],
        showgrid=True,
        tickangle=0,
        tickvals=marks,
        ticktext=in_points(marks),
        row=1,
        col=2,
    )
    figure.add_vline(x=0, line={"color": GREY, "width": 1.5}, layer="below", row=1, col=2)
    figure.update_yaxes(tickvals=list(range(len(titles))), ticktext=titles, range=[len(titles) - 0.5, -0.6])
    figure.add_hline(y=0.5, line={"color": LINE, "width": 1})
    for axis, words in (("x", "accuracy and recall: ○ before, ● after"), ("x2", "change in points, 95 %")):
        figure.add_annotation(
            text=words,
            xref=f"{axis} domain",
            yref="paper",
            x=0,
            y=1.0,
            yshift=26,
            xanchor="left",
            showarrow=False,
            font={"color": GREY, "size": 12},
        )
    return figure


def _levels(figure: go.Figure, place: int, title: str, colour: str, row: npt.NDArray[np.float64]) -> None:
    before, after = row[:2].tolist()
    figure.add_scatter(
        x=[before, after],
        y=[place, place],
        mode="lines+markers",
        line={"color": rgba(colour, 0.4), "width": 5},
        marker={
            "size": [10, 12],
            "color": ["rgba(0,0,0,0)", colour],
            "line": {"color": colour, "width": [2.5, 0]},
            "opacity": 1,
        },
        cliponaxis=False,
        hovertemplate=f"<b>{title}</b><br>before {before:.1%}, after {after:.1%}<extra></extra>",
        row=1,
        col=1,
    )


def _change(figure: go.Figure, place: int, title: str, colour: str, row: npt.NDArray[np.float64]) -> None:
    change, low, high = row[2:].tolist()
    sure = low > 0 or high < 0
    figure.add_scatter(
        x=[low, high],
        y=[place, place],
        mode="lines",
        line={"color": rgba(colour, 0.95 if sure else 0.35), "width": 4 if sure else 3},
        hoverinfo="skip",
        row=1,
        col=2,
    )
    text = f"{100 * change:+.1f} points, 95 %: {100 * low:+.1f} to {100 * high:+.1f}".replace("-", "−")
    figure.add_scatter(
        x=[change],
        y=[place],
        mode="markers",
        marker={"size": 11, "color": colour, "symbol": "diamond"},
        hovertemplate=f"<b>{title}</b><br>{text}<extra></extra>",
        row=1,
        col=2,
    )


def ticks(reach: float) -> list[float]:
    """Round places on both sides of 0, at most two on each."""
    size = 10 ** np.floor(np.log10(reach))
    step = float(next(factor * size for factor in (0.2, 0.5, 1) if reach < 3 * factor * size or factor == 1))
    count = min(2, int(reach // step))
    return [round(step * number, 6) for number in range(-count, count + 1)]


def in_points(shares: Sequence[float]) -> list[str]:
    """Differences of shares as percentage points with their sign, `+2`, `−0.5`, `0`."""
    return [f"{100 * share:+.3g}".replace("-", "−") if share else "0" for share in shares]
