"""The corruption suite as a heat map whose cells can be clicked: a row a corruption, a column a severity."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from bloodapp.charts.style import ACCENT, GREY, SHIFTED, calm, rgba

_GAP = 0.35  # columns between the severities and their mean
_WEAKEST, _STRONGEST = 0.04, 0.74  # beyond, the page's own text cannot be read on it, in light or in dark


def robustness_chart(
    errors: npt.ArrayLike,
    names: Sequence[str],
    titles: Sequence[str],
    *,
    clean: float,
    what: str = "",
    chosen: tuple[str, int] | None = None,
    height: int | None = None,
) -> go.Figure:
    """Draw the error (K, S) of each corruption at each severity, and each row's mean: shade and number = share wrong.

    The shade is one hue that only grows stronger, and the number stands in every cell. `clean` is the error without a
    corruption, said in the hover text; `what` says whose error it is. Every cell of a severity carries `customdata`
    (name, severity). NaN is an empty cell. `chosen` is outlined. The cells are bars: Plotly's heat maps take no part in
    selections (plotly.js#170), bars do.
    """
    table = np.asarray(errors, np.float64)
    rows, columns = table.shape
    figure = go.Figure()
    places = np.arange(1, columns + 1, dtype=np.float64)
    mean = columns + 1 + _GAP
    shares = np.concatenate([table, table.mean(1, keepdims=True)], axis=1)
    cells = [
        (float(place), row, severity, float(shares[row, column]))
        for row in range(rows)
        for column, (place, severity) in enumerate(
            zip([*places, mean], [*range(1, columns + 1), 0], strict=True)
        )
    ]
    figure.add_bar(
        x=[place for place, *_ in cells],
        y=[0.92] * len(cells),
        base=[row - 0.46 for _, row, *_ in cells],
        width=0.96,
        marker={"color": [_shade(share) for *_, share in cells], "cornerradius": 4, "line": {"width": 0}},
        customdata=[[names[row], severity] for _, row, severity, _ in cells],
        hovertext=[
            f"<b>{titles[row]}</b>, {f'severity {severity}' if severity else 'mean of the severities'}<br>"
            f"{what + ': ' if what else ''}{_percent(share)} wrong; {_percent(clean)} as they are"
            for _, row, severity, share in cells
        ],
        hovertemplate="%{hovertext}<extra></extra>",
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 1}},
        showlegend=False,
    )
    calm(figure, height or 31 * rows + 40, t=28)
    # Annotations, unlike a trace of text, keep their strength when a cell is selected.
    # All at once: one by one they would take Plotly a third of a second.
    numbers = [
        {"x": place, "y": row, "text": _number(share), "showarrow": False, "font": {"size": 13}}
        for place, row, _, share in cells
    ]
    figure.update_layout(
        annotations=numbers, barmode="overlay", bargap=0, clickmode="event+select", hovermode="closest"
    )
    figure.update_xaxes(
        side="top",
        tickvals=[*places, mean],
        ticktext=["severity 1", *(str(int(place)) for place in places[1:]), "mean"],
        range=[0.5, mean + 0.5],
    )
    figure.update_yaxes(
        tickvals=list(range(rows)), ticktext=list(titles), range=[rows - 0.5, -0.5], ticklabelstandoff=6
    )
    if chosen is not None and chosen[0] in names:
        at, column = list(names).index(chosen[0]), chosen[1]
        edges = {"x0": column - 0.48, "x1": column + 0.48, "y0": at - 0.46, "y1": at + 0.46}
        figure.add_shape(type="rect", **edges, line={"color": ACCENT, "width": 3}, layer="above")
    return figure


def _shade(share: float) -> str:
    """Stronger with the square root of the error: the eye must see 2 %, and tell 40 % from 60 %."""
    if share != share:
        return rgba(GREY, 0.07)
    return rgba(SHIFTED, _WEAKEST + (_STRONGEST - _WEAKEST) * float(np.sqrt(min(share, 1.0))))


def _number(share: float) -> str:
    """A share as percent for a cell, without the sign; `–` where it is not known."""
    if share != share:
        return "–"
    return f"{100 * share:.1f}" if share < 0.0995 else f"{100 * share:.0f}"


def _percent(share: float) -> str:
    return "–" if share != share else f"{100 * share:.1f} %"
