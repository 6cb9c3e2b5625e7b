"""The pieces a report is written in: tables, charts, pictures, class names. All that comes from outside is escaped."""

import base64
import io
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from html import escape
from itertools import count as counting

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
from PIL import Image

from bloodapp.charts.style import percent
from bloodapp.classes import CellClass
from bloodapp.evaluate.metrics import Interval

INK = "#010203"
"""The colour of a chart's words: nobody else's, so that the style sheet finds them and gives them the page's."""

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
GREY = "#adb5bd"
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_QUALITY = 88
_numbers = counting(1)


class Html(str):
    """Text that is HTML already; everything else is escaped when it is put into a page."""


def text(value: object) -> str:
    """Anything as HTML: escaped, unless it is `Html`."""
    # A figure keeps its percent sign at the end of a line.
    return value if isinstance(value, Html) else escape(str(value), quote=True).replace(" %", "\u00a0%")


def table(
    heads: Sequence[object], rows: Iterable[Sequence[object]], caption: str, *, kind: str = "", note: str = ""
) -> Html:
    """A table with a caption; the first cell of each row is its heading, the others are figures."""
    top = "".join(f'<th scope="col">{text(head)}</th>' for head in heads)
    body = "".join(
        f'<tr><th scope="row">{text(row[0])}</th>{"".join(f"<td>{text(cell)}</td>" for cell in row[1:])}</tr>'
        for row in rows
    )
    below = f'<p class="quiet">{text(note)}</p>' if note else ""
    return Html(
        f'<div class="scroll" role="region" tabindex="0" aria-label="{text(caption)}">'
        f'<table class="{text(kind)}"><caption>{text(caption)}</caption>'
        f"<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>{below}"
    )


def pairs(rows: Iterable[tuple[str, object]], kind: str = "pairs") -> Html:
    """Named facts, one beneath the other."""
    cells = "".join(f"<div><dt>{text(name)}</dt><dd>{text(value)}</dd></div>" for name, value in rows)
    return Html(f'<dl class="{text(kind)}">{cells}</dl>')


def paragraph(words: object, kind: str = "") -> Html:
    """A paragraph."""
    return Html(f'<p class="{text(kind)}">{text(words)}</p>' if kind else f"<p>{text(words)}</p>")


def folded(title: str, content: str, *, printed: bool = True) -> Html:
    """Something to open; a printed page has it open, or leaves it out."""
    kind = "" if printed else ' class="unprinted"'
    return Html(f"<details{kind}><summary>{text(title)}</summary>{content}</details>")


def chart(figure: go.Figure, alt: str, *, least: int = 0) -> Html:
    """A chart that the page's script draws; the numbers stand in a table beside it, for who cannot see it.

    Where the page is narrower than `least` pixels, the chart can be pushed sideways.
    """
    figure.update_layout(template="none", font={"family": FONT, "size": 13, "color": INK})
    figure.update_xaxes(title_font_size=13)
    figure.update_yaxes(title_font_size=13)
    height = int(figure.layout.height or 320)
    name = f"figure-{next(_numbers)}"
    # A closing tag in a title would end the script element.
    content = figure.to_json().replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return Html(
        f'<div class="wide"><div class="chart" id="{name}" role="img" aria-label="{text(alt)}" '
        f'style="height:{height}px;min-width:{least}px"></div></div>'
        f'<script type="application/json" data-figure="{name}">{content}</script>'
    )


def chip(cell_class: CellClass) -> Html:
    """A class: a dot of its colour and its title."""
    colour = colour_of(cell_class)
    return Html(f'<span class="chip"><i style="background:{colour}"></i>{text(cell_class.title)}</span>')


def colour_of(cell_class: CellClass) -> str:
    """The class's colour, grey where it is none."""
    return cell_class.colour if _COLOUR.fullmatch(cell_class.colour) else GREY


def drawn(classes: Sequence[CellClass]) -> list[CellClass]:
    """The classes as charts take them: Plotly reads some HTML in its texts, and draws what is escaped as it is."""
    return [replace(c, title=escape(c.title), key=escape(c.key), colour=colour_of(c)) for c in classes]


def picture(image: npt.NDArray[np.uint8], alt: str) -> Html:
    """An image uint8 (H, W, 3) inside the page, as JPEG."""
    buffer = io.BytesIO()
    Image.fromarray(np.asarray(image, np.uint8)).save(buffer, "JPEG", quality=_QUALITY, subsampling=0)
    content = base64.b64encode(buffer.getvalue()).decode("ascii")
    height, width = image.shape[:2]
    return Html(
        f'<img alt="{text(alt)}" width="{width}" height="{height}" src="data:image/jpeg;base64,{content}">'
    )


def span(figure: Interval, digits: int = 1) -> Html:
    """A share with its 95 % interval: `98.2` and, smaller, `97.4 to 98.9`."""
    if figure.value != figure.value:
        return Html("–")
    ends = f"{100 * figure.low:.{digits}f} to {100 * figure.high:.{digits}f}"
    return Html(f"{100 * figure.value:.{digits}f}<small>{ends}</small>")


def words(figure: Interval, *, decimal: bool = False) -> str:
    """A share with its 95 % interval in words; with `decimal` as a number, as AUC and kappa are read."""
    if figure.value != figure.value:
        return "not known"
    if decimal:
        return f"{figure.value:.3f} (95 % interval {figure.low:.3f} to {figure.high:.3f})"
    return f"{percent(figure.value)} (95 % interval {100 * figure.low:.1f} to {100 * figure.high:.1f})"


def told(figure: Interval, *, decimal: bool = False) -> Html:
    """The same for a cell of a table: the figure, and its interval beneath."""
    value, _, ends = words(figure, decimal=decimal).partition(" (95 % interval ")
    return Html(f"{value}<small>{ends.removesuffix(')')}</small>" if ends else "–")


def json_script(value: object) -> str:
    """JSON that may stand within a script element."""
    return json.dumps(value).replace("<", "\\u003c")
