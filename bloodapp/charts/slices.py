"""Accuracy by slices of the images: one row a slice, the surest loss on top, rows that can be clicked."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from bloodapp.charts.style import ACCENT, GREY, LINE, SHIFTED, calm, percent, rgba

_WORSE = "#E03131"
_ROW = 27
_ENOUGH = 20


@dataclass(frozen=True)
class Row:
    """One slice.

    Attributes:
        key: what a click tells.
        title: what people read.
        n: images.
        accuracy: 0..1, with its 95 % interval.
        low: its lower end.
        high: its upper end.
        rest: the accuracy of the images it is compared with.
        worse: whether it is worse than chance would bring, after counting how many slices were looked at.
    """

    key: str
    title: str
    n: int
    accuracy: float
    low: float
    high: float
    rest: float
    worse: bool


def slices_chart(
    rows: Sequence[Row],
    overall: float,
    *,
    chosen: str | None = None,
    under_shift: bool = False,
    height: int | None = None,
) -> go.Figure:
    """Draw the accuracy of slices with 95 % intervals as thin lines; the dotted line is the accuracy on all images.

    What is surely worse is a filled red triangle, all else a ring. Every row carries `customdata` (key,) and is
    clickable over its whole width: an invisible bar lies under it (Plotly selects bars and points, not rows).
    """
    places = list(range(len(rows)))
    # A handful of images may be anything: their lines end at the edge, and spread out nobody else's.
    ends = [row.low for row in rows if row.n >= _ENOUGH]
    low = max(0.0, min([overall, *ends, *(row.accuracy for row in rows)]) - 0.03)
    figure = go.Figure()
    figure.add_bar(
        x=[1.0 - low] * len(rows),
        base=low,
        y=places,
        orientation="h",
        width=0.96,
        marker={
            "color": [rgba(GREY, 0.18) if row.key == chosen else "rgba(0,0,0,0)" for row in rows],
            "line": {"width": 0},
            "cornerradius": 4,
        },
        customdata=[[row.key] for row in rows],
        hovertext=[_text(row) for row in rows],
        hovertemplate="%{hovertext}<extra></extra>",
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 1}},
        showlegend=False,
    )
    colour = SHIFTED if under_shift else ACCENT
    kinds = (
        ("surely worse than the others", True, _WORSE, "triangle-left"),
        ("slice", False, colour, "circle-open"),
    )
    for name, worse, tint, symbol in kinds:
        some = [place for place in places if rows[place].worse == worse]
        if not some:
            continue
        figure.add_scatter(
            x=[rows[place].accuracy for place in some],
            y=some,
            name=name,
            mode="markers",
            marker={"color": tint, "size": 11, "symbol": symbol, "line": {"width": 2, "color": tint}},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [rows[place].high - rows[place].accuracy for place in some],
                "arrayminus": [rows[place].accuracy - max(rows[place].low, low) for place in some],
                "color": rgba(tint, 0.55),
                "thickness": 2,
                "width": 0,
            },
            cliponaxis=False,
            hoverinfo="skip",
            selected={"marker": {"opacity": 1}},
            unselected={"marker": {"opacity": 1}},
            customdata=[[rows[place].key] for place in some],
            showlegend=any(row.worse for row in rows),
        )
    calm(figure, height or _ROW * len(rows) + 92, t=40, r=60)
    figure.add_vline(x=overall, line={"color": GREY, "width": 1.5, "dash": "dot"}, layer="below")
    beside = {"x": 1, "xref": "paper", "xanchor": "left", "xshift": 8, "showarrow": False}
    figure.update_layout(
        annotations=[
            *(
                {**beside, "y": place, "text": f"{row.n:,}", "font": {"size": 12}}
                for place, row in enumerate(rows)
            ),
            {**beside, "y": -0.95, "text": "images", "font": {"size": 12, "color": GREY}},
        ]
    )
    figure.update_layout(clickmode="event+select", hovermode="closest", barmode="overlay")
    figure.update_xaxes(
        range=[low, 1.002],
        tickformat=".0%",
        showgrid=True,
        gridcolor=LINE,
        nticks=6,
        title={
            "text": f"accuracy{' under the shift' if under_shift else ''}; dotted: all images",
            "standoff": 6,
        },
    )
    figure.update_yaxes(
        tickvals=places,
        ticktext=[row.title for row in rows],
        range=[len(rows) - 0.4, -0.6],
        ticklabelstandoff=6,
    )
    return figure


def _text(row: Row) -> str:
    return (
        f"<b>{row.title}</b>, {row.n:,} images<br>{percent(row.accuracy)} (95 %: {percent(row.low)} to "
        f"{percent(row.high)})<br>the others {percent(row.rest)}"
    )
