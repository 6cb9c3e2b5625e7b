"""Bars by class: probabilities of one image, counts of a dataset, recall clean beside shifted."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from bloodapp.charts.style import ACCENT, GREY, LINE, SHIFTED, calm, percent, rgba
from bloodapp.classes import CellClass


def probability_chart(
    probabilities: npt.ArrayLike, classes: Sequence[CellClass], *, height: int | None = None
) -> go.Figure:
    """Draw one image's probabilities (C,) as horizontal bars in class order, the best one strong."""
    shares = np.asarray(probabilities, np.float64)
    best = int(shares.argmax())
    figure = go.Figure(
        go.Bar(
            x=shares,
            y=[c.title for c in classes],
            orientation="h",
            marker={
                "color": [rgba(c.colour, 1 if i == best else 0.45) for i, c in enumerate(classes)],
                "cornerradius": 3,
            },
            text=[percent(share) for share in shares],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{x:.2%}<extra></extra>",
            showlegend=False,
        )
    )
    calm(figure, height or 34 * len(classes) + 16, r=64)
    figure.update_layout(bargap=0.35)
    figure.update_xaxes(range=[0, 1], showticklabels=False)
    figure.update_yaxes(autorange="reversed")
    return figure


def count_chart(
    counts: npt.ArrayLike, classes: Sequence[CellClass], *, height: int | None = None
) -> go.Figure:
    """Draw the number of images of each class (C,) as horizontal bars in the class colours."""
    numbers = np.asarray(counts, np.int64)
    total = max(int(numbers.sum()), 1)
    figure = go.Figure(
        go.Bar(
            x=numbers,
            y=[c.title for c in classes],
            orientation="h",
            marker={"color": [c.colour for c in classes], "cornerradius": 3},
            text=[f"{n:,}" for n in numbers],
            textposition="outside",
            cliponaxis=False,
            customdata=numbers / total,
            hovertemplate="%{y}: %{x:,} images, %{customdata:.1%}<extra></extra>",
            showlegend=False,
        )
    )
    calm(figure, height or 34 * len(classes) + 16, r=56)
    figure.update_layout(bargap=0.35)
    figure.update_xaxes(range=[0, max(int(numbers.max(initial=0)), 1)], showticklabels=False)
    figure.update_yaxes(autorange="reversed")
    return figure


def recall_chart(
    clean: npt.ArrayLike,
    shifted: npt.ArrayLike | None,
    classes: Sequence[CellClass],
    *,
    height: int | None = None,
) -> go.Figure:
    """Draw each class's recall, clean joined to shifted, with 95 % intervals as thin lines.

    `clean` and `shifted` are (C, 3): value, low, high; unknown figures are NaN and left out.
    The length of the thick line is what the class loses when the images change.
    """
    titles = [c.title for c in classes]
    places = np.arange(len(titles), dtype=np.float64)
    before = np.asarray(clean, np.float64)
    figure = go.Figure()
    if shifted is not None:
        after = np.asarray(shifted, np.float64)
        figure.add_scatter(
            x=np.stack([before[:, 0], after[:, 0], np.full(len(titles), np.nan)], 1).ravel(),
            y=np.repeat(places, 3),
            mode="lines",
            line={"color": LINE, "width": 9},
            hoverinfo="skip",
            showlegend=False,
        )
        _dots(figure, after, places, titles, "shifted", SHIFTED, "diamond")
    _dots(figure, before, places, titles, "clean", ACCENT)
    calm(figure, height or 45 * len(titles) + 72, t=36)
    figure.update_layout(legend_traceorder="reversed")
    known = [v for v in figure.data for v in np.asarray(v.x, np.float64) if v == v]
    low = min([0.9, *(float(v) for v in known)])
    figure.update_xaxes(
        range=[max(low - 0.08, 0), 1.005], tickformat=".0%", showgrid=True, nticks=6, title="recall"
    )
    figure.update_yaxes(tickvals=places, ticktext=titles, range=[len(titles) - 0.5, -0.5])
    return figure


GROUPS = (("right", ACCENT, ""), ("wrong", "#E03131", "/"), ("unsure", GREY, "x"))
"""What an answer may be, with its colour and its pattern."""


def probability_histogram(groups: Mapping[str, npt.ArrayLike], title: str, *, height: int = 190) -> go.Figure:
    """Draw how many images have which probability of one class: right, wrong and unsure, (N,) each, on one another.

    Told apart by colour and by hatching. The numbers are on a scale of square roots, so that a few images are seen
    beside many. `title` names the class.
    """
    edges = np.linspace(0, 1, 21)
    figure = go.Figure()
    below = np.zeros(20)
    for name, colour, pattern in GROUPS:
        counts, _ = np.histogram(np.asarray(groups[name], np.float64), edges)
        # Stacked by hand: a stack of roots is not the root of a stack.
        top = np.sqrt(below**2 + counts)
        figure.add_bar(
            x=(edges[:-1] + edges[1:]) / 2,
            y=top - below,
            base=below,
            width=0.046,
            name=name,
            marker={
                "color": colour,
                "pattern": {"shape": pattern, "size": 5, "solidity": 0.35},
                "line": {"width": 0},
            },
            customdata=np.stack([counts, edges[:-1], edges[1:]], 1),
            hovertemplate=f"%{{customdata[0]:,}} {name}<br>%{{customdata[1]:.0%}} to %{{customdata[2]:.0%}}"
            "<extra></extra>",
        )
        below = top
    calm(figure, height, t=32)
    most = float(below.max(initial=1)) ** 2
    ticks = [tick for tick in (0, 10, 100, 500, 1000, 2500, 5000, 10_000) if tick <= most * 1.05]
    figure.update_layout(barmode="overlay", bargap=0.05)
    figure.update_xaxes(
        range=[-0.005, 1.005],
        tickformat=".0%",
        nticks=6,
        title={"text": f"probability of {title}", "standoff": 4},
    )
    figure.update_yaxes(
        tickvals=[tick**0.5 for tick in ticks],
        ticktext=[f"{tick:,}" for tick in ticks],
        showgrid=True,
        title={"text": "images,<br>square-root scale", "standoff": 8},
    )
    return figure


def _dots(
    figure: go.Figure,
    figures: npt.NDArray[np.float64],
    places: npt.NDArray[np.float64],
    titles: Sequence[str],
    name: str,
    colour: str,
    symbol: str = "circle",
) -> None:
    value, low, high = figures.T
    figure.add_scatter(
        x=value,
        y=places,
        name=name,
        cliponaxis=False,
        mode="markers",
        marker={"color": colour, "size": 10, "symbol": symbol},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": high - value,
            "arrayminus": value - low,
            "color": rgba(colour, 0.55),
            "thickness": 2,
            "width": 0,
        },
        customdata=np.stack([low, high], 1),
        hovertext=list(titles),
        hovertemplate=(
            f"<b>%{{hovertext}}</b> {name}: %{{x:.1%}}<br>95 %: %{{customdata[0]:.1%}} to "
            "%{customdata[1]:.1%}<extra></extra>"
        ),
    )
