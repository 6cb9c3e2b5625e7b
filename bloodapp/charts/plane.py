"""Images as points on a plane, coloured by class, the classes named where they lie."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from bloodapp.charts.confusion import short_name
from bloodapp.charts.style import GREY, calm, rgba
from bloodapp.classes import CellClass

# Told apart by shape as well: eight colours are too many for many eyes.
_SHAPES = ("circle", "square", "diamond", "triangle-up", "cross", "star", "pentagon", "triangle-down")
WRONG = "x-thin"


def plane_chart(
    points: npt.ArrayLike,
    labels: npt.ArrayLike,
    classes: Sequence[CellClass],
    ids: npt.ArrayLike,
    *,
    answers: npt.ArrayLike | None = None,
    centres: npt.ArrayLike | None = None,
    axes: tuple[str, str] = ("", ""),
    height: int = 620,
) -> go.Figure:
    """Draw images as points (N, 2) with their labels (N,) and ids (N,), which each point carries as `customdata`.

    Each class has a colour and a shape. `answers` (N,) are classes, -1 where nothing was asked: a wrong one is a cross
    in the colour of the label; points with an answer are stronger than those without. `centres` (C, 2) are where the
    classes' names stand, NaN for none.
    """
    places, own = np.asarray(points, np.float32).reshape(-1, 2), np.asarray(labels, np.int64)
    numbers = np.asarray(ids, np.int64)
    said = np.full(len(own), -1, np.int64) if answers is None else np.asarray(answers, np.int64)
    wrong = (said >= 0) & (said != own)
    figure = go.Figure()
    for which, one in enumerate(classes):
        mine = (own == which) & ~wrong
        asked = mine & (said >= 0)
        # The faint ones first, so that the strong ones lie on top and stand for the class in the legend.
        for shown, size, opacity in ((mine & ~asked, 4, 0.32), (asked, 6, 0.85)):
            figure.add_scattergl(
                x=places[shown, 0],
                y=places[shown, 1],
                name=one.title,
                legendgroup=one.key,
                showlegend=bool(asked.any() or not mine.any()) == (shown is asked),
                mode="markers",
                marker={
                    "color": one.colour,
                    "symbol": _SHAPES[which % len(_SHAPES)],
                    "size": size,
                    "opacity": opacity,
                    "line": {"width": 0},
                },
                customdata=numbers[shown],
                hovertemplate=f"<b>{one.title}</b><br>image %{{customdata}}<extra></extra>",
                unselected={"marker": {"opacity": 0.1}},
            )
    titles = np.array([one.title for one in classes])
    figure.add_scattergl(
        x=places[wrong, 0],
        y=places[wrong, 1],
        name="wrong answer",
        mode="markers",
        marker={
            "symbol": WRONG,
            "size": 10,
            "line": {"width": 2.5, "color": [classes[k].colour for k in own[wrong]]},
        },
        customdata=numbers[wrong],
        text=[
            f"<b>{titles[k]}</b> taken for {titles[s]}" for k, s in zip(own[wrong], said[wrong], strict=True)
        ],
        hovertemplate="%{text}<br>image %{customdata}<extra></extra>",
        unselected={"marker": {"opacity": 0.25}},
        showlegend=bool(wrong.any()),
    )
    calm(figure, height, t=8, b=30, l=30)
    figure.update_layout(
        dragmode="lasso",
        hovermode="closest",
        clickmode="event+select",
        legend={"y": -0.06, "yanchor": "top", "itemsizing": "constant"},
        newselection={"line": {"color": GREY, "width": 2, "dash": "dot"}},
    )
    for axis, title in ((figure.update_xaxes, axes[0]), (figure.update_yaxes, axes[1])):
        axis(showticklabels=False, title={"text": title, "standoff": 4})
    middles = np.empty((0, 2)) if centres is None else np.asarray(centres, np.float64)
    for one, (x, y) in zip(classes, _apart(middles, places), strict=False):
        if x == x:
            figure.add_annotation(
                x=float(x),
                y=float(y),
                text=short_name(one),
                showarrow=False,
                font={"size": 12, "color": "#FFFFFF"},
                bgcolor="rgba(28, 22, 44, 0.78)",
                bordercolor=rgba(one.colour, 1.0),
                borderwidth=2,
                borderpad=3,
            )
    return figure


def _apart(middles: npt.NDArray[np.float64], places: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """The places of names (C, 2), moved up where one would lie on another."""
    if not len(places) or not len(middles):
        return middles
    moved = middles.copy()
    wide, high = np.ptp(places, axis=0) * (0.17, 0.047)
    known = np.flatnonzero(~np.isnan(middles[:, 0]))
    for place, which in enumerate(known[np.argsort(middles[known, 1])]):
        for below in known[np.argsort(middles[known, 1])][:place]:
            near = abs(moved[which, 0] - moved[below, 0]) < wide
            if near and abs(moved[which, 1] - moved[below, 1]) < high:
                moved[which, 1] = moved[below, 1] + high
    return moved
