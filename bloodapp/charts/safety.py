"""The safety meter's chart: how many answers change as a pipeline's strengths grow, from plain arrays."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from bloodapp.charts.style import ACCENT, GREY, LINE, SHIFTED, calm, rgba

Named = tuple[str, npt.ArrayLike]

# Told apart by dash and symbol as well: colour alone is lost in print and to one in twelve men.
_STYLES = (
    (SHIFTED, "dash", "square"),
    ("#1C9E77", "dot", "diamond"),
    ("#2F7FD6", "dashdot", "triangle-up"),
    ("#C2417C", "longdash", "x"),
)
STRONG = len(_STYLES)
"""Operations that are drawn in a style of their own; the others are thin grey lines."""


def safety_chart(
    strengths: Sequence[float],
    whole: npt.ArrayLike,
    operations: Sequence[Named] = (),
    *,
    threshold: float,
    destroyed_at: float | None = None,
    labels: Sequence[str] = (),
    height: int = 330,
) -> go.Figure:
    """Draw shares of changed answers over strengths: the whole pipeline with its interval, and operations alone.

    `whole` and each operation's table are (S, 3): share, low, high; unknown figures are NaN and left out. The first
    STRONG operations have a style of their own: give the worst first. Above the `threshold` images count as
    destroyed; `destroyed_at` is the strength at which the whole pipeline first does, or None. `labels`
    name the strengths where numbers will not do.
    """
    figure = go.Figure()
    table = np.asarray(whole, np.float64)
    x = np.asarray(strengths, np.float64)
    known = ~np.isnan(table[:, 0])
    for name, shares in operations[STRONG:]:
        _line(figure, x, np.asarray(shares, np.float64), name, rgba(GREY, 0.55), "solid", None, 1.2)
    _band(figure, x[known], table[known])
    for (name, shares), (colour, dash, symbol) in zip(operations, _STYLES, strict=False):
        _line(figure, x, np.asarray(shares, np.float64), name, colour, dash, symbol, 2)
    _line(figure, x, table, "whole pipeline", ACCENT, "solid", "circle", 3.5)
    calm(figure, height, t=44, r=12, b=40, l=56)
    top = _top([table, *(np.asarray(shares, np.float64) for _, shares in operations)], threshold)
    figure.add_hrect(y0=threshold, y1=top, fillcolor=rgba("#E03131", 0.06), line_width=0, layer="below")
    figure.add_hline(y=threshold, line={"color": "#E03131", "width": 1.2, "dash": "dot"})
    figure.add_annotation(
        x=0, y=threshold, xref="paper", text="destroyed", showarrow=False, xanchor="left", yanchor="bottom"
    )
    figure.add_vline(x=1, line={"color": LINE, "width": 1.5})
    if destroyed_at is not None:
        figure.add_vline(x=destroyed_at, line={"color": ACCENT, "width": 1.5, "dash": "dash"}, layer="below")
    figure.update_annotations(font={"color": GREY, "size": 12})
    figure.update_layout(hovermode="closest", legend_traceorder="reversed")
    figure.update_xaxes(
        range=[-0.03, float(x.max(initial=1)) + 0.04],
        tickvals=list(x),
        ticktext=list(labels) or [f"× {value:g}" for value in x],
        title={"text": "strength, 1 = as the pipeline says", "standoff": 6},
    )
    figure.update_yaxes(
        range=[0, top],
        tickformat=".0%",
        showgrid=True,
        nticks=6,
        title={"text": "answers that change", "standoff": 16},
    )
    return figure


def _line(
    figure: go.Figure,
    x: npt.NDArray[np.float64],
    table: npt.NDArray[np.float64],
    name: str,
    colour: str,
    dash: str,
    symbol: str | None,
    width: float,
) -> None:
    known = ~np.isnan(table[:, 0])
    figure.add_scatter(
        x=x[known],
        y=table[known, 0],
        name=name,
        mode="lines+markers" if symbol else "lines",
        line={"color": colour, "width": width, "dash": dash},
        marker={"symbol": symbol or "circle", "size": 8},
        showlegend=symbol is not None,
        cliponaxis=False,
        customdata=table[known, 1:],
        hovertemplate=f"<b>{name}</b> × %{{x:g}}: %{{y:.0%}}<br>95 %: %{{customdata[0]:.0%}} to "
        "%{customdata[1]:.0%}<extra></extra>",
    )


def _band(figure: go.Figure, x: npt.NDArray[np.float64], table: npt.NDArray[np.float64]) -> None:
    figure.add_scatter(
        x=np.concatenate([x, x[::-1]]),
        y=np.concatenate([table[:, 1], table[::-1, 2]]),
        mode="lines",
        fill="toself",
        fillcolor=rgba(ACCENT, 0.14),
        line={"width": 0},
        hoverinfo="skip",
        showlegend=False,
        name="95 %",
    )


def _top(tables: Sequence[npt.NDArray[np.float64]], threshold: float) -> float:
    highest = max(float(np.nanmax(table[:, 0], initial=0)) for table in tables)
    upper = float(np.nanmax(tables[0][:, 2], initial=0))
    return min(1.02, max(0.3, 1.08 * max(highest, upper), threshold + 0.08))
