"""Two sets of images beside each other: how far their measures lie apart, their confidence, their classes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from bloodapp.charts.style import ACCENT, GREY, LINE, SHIFTED, calm, rgba
from bloodapp.classes import CellClass

TARGET = SHIFTED
"""Colour of the target images."""

_LIFT = 0.17


@dataclass(frozen=True)
class Row:
    """One measure of both sets, in units of the training images' interquartile range from their median.

    Attributes:
        title: of the measure.
        train: five quantiles of the training images: 2.5, 25, 50, 75 and 97.5 %.
        target: the same of the target images.
        distance: how far apart they are, in the same units.
        moved: whether that is farther than chance brings.
        hint: what is read when the pointer rests on it.
        key: of the measure, told back by a click.
    """

    title: str
    train: Sequence[float]
    target: Sequence[float]
    distance: float
    moved: bool
    hint: str
    key: str


def distance_chart(rows: Sequence[Row], *, chosen: str = "", height: int | None = None) -> go.Figure:
    """Draw each measure's spread in both sets, one above the other, with the distance at the right, in figures.

    Grey bars are the training images, orange ones with a diamond the target's: the thin line holds 95 % of the images,
    the thick one the middle half, the mark is the median. `customdata` of the target's marks is (key,).
    """
    figure = go.Figure()
    places = np.arange(len(rows), dtype=np.float64)
    for name, at, colour, symbol, values in (
        ("training images", places - _LIFT, GREY, "line-ns", [row.train for row in rows]),
        ("your images", places + _LIFT, TARGET, "diamond", [row.target for row in rows]),
    ):
        table = np.array(values, np.float64).reshape(len(rows), 5)
        for ends, width, strength in (((0, 4), 2, 0.8), ((1, 3), 8, 0.5)):
            figure.add_scatter(
                x=np.stack([table[:, ends[0]], table[:, ends[1]], np.full(len(rows), np.nan)], 1).ravel(),
                y=np.repeat(at, 3),
                mode="lines",
                line={"color": rgba(colour, strength), "width": width},
                hoverinfo="skip",
                showlegend=False,
            )
        figure.add_scatter(
            x=table[:, 2],
            y=at,
            mode="markers",
            name=name,
            marker={
                "color": colour,
                "symbol": symbol,
                "size": 11 if symbol == "diamond" else 13,
                "line": {"color": colour, "width": 2.5 if symbol == "line-ns" else 0},
            },
            customdata=[[row.key] for row in rows],
            hovertext=[row.hint for row in rows],
            hovertemplate="%{hovertext}<extra></extra>",
        )
    figure.add_vline(x=0, line={"color": LINE, "width": 1.5}, layer="below")
    for place, row in zip(places, rows, strict=True):
        figure.add_annotation(
            x=1,
            xref="paper",
            xanchor="left",
            y=place,
            text=f"<b>{row.distance:.1f}</b>" if row.moved else f"{row.distance:.1f}",
            showarrow=False,
            xshift=10,
            font={"color": TARGET if row.moved else GREY, "size": 14},
        )
    calm(figure, height or 38 * len(rows) + 84, t=36, r=56, b=44)
    if rows:
        figure.add_annotation(
            x=1, xref="paper", xanchor="left", y=1, yref="paper", yanchor="bottom", xshift=4,
            text="apart", showarrow=False, font={"color": GREY, "size": 12},
        )  # fmt: skip
    titles = [f"<b>{row.title}</b>" if row.key == chosen else row.title for row in rows]
    figure.update_yaxes(tickvals=places, ticktext=titles, range=[len(rows) - 0.4, -0.6])
    figure.update_xaxes(
        title={"text": "from the training images’ median, 1 = the width of their middle half", "standoff": 8},
        showgrid=True,
        nticks=8,
    )
    return figure


def spread_chart(
    train: npt.ArrayLike,
    target: npt.ArrayLike,
    unit: str,
    ranges: Sequence[tuple[str, float, float]] = (),
    *,
    height: int = 270,
) -> go.Figure:
    """Draw the distribution of one measure in both sets, (N,) and (K,), and named ranges (name, low, high) under it.

    Each is drawn as shares of its own images, training filled, target as a thicker stepped line.
    """
    own, other = np.asarray(train, np.float64), np.asarray(target, np.float64)
    own, other = own[~np.isnan(own)], other[~np.isnan(other)]
    both = np.concatenate([own, other, [end for _, *ends in ranges for end in ends]])
    low, high = np.quantile(both, (0.004, 0.996)) if len(both) else (0.0, 1.0)
    low, high = min([low, *(r[1] for r in ranges)]), max([high, *(r[2] for r in ranges)])
    edges = np.linspace(low, high if high > low else low + 1, 41)
    middles = (edges[:-1] + edges[1:]) / 2
    figure = go.Figure()
    top = 0.01
    for name, values, colour, dash, fill in (
        ("training images", own, GREY, "solid", "tozeroy"),
        ("your images", other, TARGET, "solid", None),
    ):
        shares = np.histogram(np.clip(values, edges[0], edges[-1]), edges)[0] / max(len(values), 1)
        top = max(top, float(shares.max()))
        figure.add_scatter(
            x=middles,
            y=shares,
            name=name,
            mode="lines",
            line={"color": colour, "width": 1.5 if fill else 2.5, "dash": dash, "shape": "hvh"},
            fill=fill,
            fillcolor=rgba(colour, 0.28),
            hovertemplate=f"{name}: %{{y:.1%}} near %{{x:.4g}}<extra></extra>",
        )
    for number, (name, begin, end) in enumerate(ranges):
        at = -top * (0.1 + 0.13 * number)
        figure.add_scatter(
            x=[begin, end],
            y=[at, at],
            mode="lines+markers",
            line={"color": ACCENT if number else GREY, "width": 3, "dash": "dot" if number else "solid"},
            marker={
                "symbol": "line-ns",
                "size": 9,
                "line": {"width": 2, "color": ACCENT if number else GREY},
            },
            name=name,
            hovertemplate=f"{name}: %{{x:.4g}}<extra></extra>",
        )
    calm(figure, height, t=56, b=40)
    figure.update_xaxes(title={"text": unit, "standoff": 6}, nticks=8)
    figure.update_yaxes(
        tickformat=".0%",
        nticks=4,
        range=[-top * (0.1 + 0.13 * len(ranges)), 1.08 * top],
    )
    return figure


def shares_chart(
    shares: npt.ArrayLike, training: npt.ArrayLike, classes: Sequence[CellClass], *, height: int | None = None
) -> go.Figure:
    """Draw what share of the images was named each class, (C, 3) value, low, high, and its share in training (C,).

    Bars in the class's colour are the answers, with their 95 % interval; a white diamond is the training.
    """
    table, before = np.asarray(shares, np.float64), np.asarray(training, np.float64)
    places = np.arange(len(classes), dtype=np.float64)
    figure = go.Figure()
    figure.add_bar(
        x=table[:, 0],
        y=places,
        orientation="h",
        name="named so among your images",
        marker={"color": [rgba(c.colour, 0.75) for c in classes], "cornerradius": 3},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": table[:, 2] - table[:, 0],
            "arrayminus": table[:, 0] - table[:, 1],
            "color": GREY,
            "thickness": 1.5,
            "width": 4,
        },
        hovertemplate="%{x:.1%}<extra></extra>",
        showlegend=False,
    )
    figure.add_scatter(
        x=before,
        y=places,
        mode="markers",
        name="share among the training images",
        marker={"symbol": "diamond", "size": 10, "color": "#FFFFFF", "line": {"width": 2, "color": GREY}},
        hovertemplate="training: %{x:.1%}<extra></extra>",
    )
    calm(figure, height or 32 * len(classes) + 86, t=36, b=48)
    most = float(np.nanmax([table[:, 2].max(initial=0.05), np.nanmax(before, initial=0.05)]))
    figure.update_layout(bargap=0.4)
    figure.update_xaxes(
        title={"text": "share of the images", "standoff": 6},
        range=[0, min(1.02, 1.06 * most)],
        tickformat=".0%",
        showgrid=True,
        nticks=6,
    )
    figure.update_yaxes(
        tickvals=places, ticktext=[c.title for c in classes], range=[len(classes) - 0.5, -0.5]
    )
    return figure


def confidence_chart(
    target: Sequence[float], own: Sequence[float] | None = None, *, height: int = 250
) -> go.Figure:
    """Draw how sure a run is: shares of the answers in equal parts of 0 to 1, of the target's images and of its own.

    Its own are filled, the target's a thicker line.
    """
    figure = go.Figure()
    edges = np.linspace(0, 1, len(target) + 1)
    middles = (edges[:-1] + edges[1:]) / 2
    for name, values, colour, fill in (
        ("its own unseen images", own, ACCENT, "tozeroy"),
        ("your images", target, TARGET, None),
    ):
        if values is not None:
            figure.add_scatter(
                x=middles,
                y=list(values),
                name=name,
                mode="lines",
                line={"color": colour, "width": 1.5 if fill else 2.5, "shape": "hvh"},
                fill=fill,
                fillcolor=rgba(colour, 0.2),
                hovertemplate=f"{name}: %{{y:.1%}} near %{{x:.0%}}<extra></extra>",
            )
    calm(figure, height, t=36, b=40)
    figure.update_xaxes(
        title={"text": "probability of the class that it names", "standoff": 6},
        tickformat=".0%",
        range=[0, 1.01],
    )
    figure.update_yaxes(
        title={"text": "share of the images", "standoff": 14},
        tickformat=".0%",
        nticks=4,
        rangemode="tozero",
        showgrid=True,
    )
    return figure
