"""What the Review page shows of cards and images, as HTML: pictures, labels, reasons. Everything is escaped here."""

from html import escape

import numpy as np
from numpy.typing import NDArray

from bloodapp.classes import CellClass
from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import Judged
from bloodapp.review.findings import KINDS
from bloodapp.review.queue import Card
from bloodapp.ui.review import log
from bloodapp.ui.text import ago, count
from bloodapp.ui.thumbs import class_chip, data_uri, thumbnail

SHOWN = 12
"""Pictures of a card; the rest is a number."""

_NO_LABEL = "#adb5bd"


def class_dots(classes: tuple[CellClass, ...]) -> str:
    """A style sheet that puts each class's colour before its button."""
    rules = "".join(
        f':is([class*="st-key-as-{label}-"], [class*="st-key-class-{label}-"]) button::before '
        f"{{ background: {escape(one.colour)}; }}"
        for label, one in enumerate(classes)
    )
    return rules


def strip(dataset: Dataset, judged: Judged, card: Card) -> str:
    """The first pictures of a card in one row, and how many more there are, as HTML."""
    shown = card.indices[:SHOWN]
    pictures = "".join(picture(dataset, judged, int(index), "") for index in shown)
    more = len(card.indices) - len(shown)
    rest = f'<span class="more">+{more:,}<br>more</span>' if more else ""
    few = " few" if len(shown) <= 4 else ""
    return f'<div class="strip{few}">{pictures}{rest}</div>'


def hint(dataset: Dataset, judged: Judged, index: int) -> str:
    """What to know about an image when the pointer rests on it: where it is, its label, what was decided."""
    label = int(judged.labels[index])
    given = int(dataset.labels[index])
    said = [f"image {index}", dataset.classes[label].title if label >= 0 else "no label"]
    if label != given:
        said.append(f"given as {dataset.classes[given].title if given >= 0 else 'no label'}")
    if not judged.included[index]:
        said.append("excluded")
    elif judged.flagged[index]:
        said.append("flagged")
    elif judged.decided[index]:
        said.append("kept" if label == given else "relabelled")
    if last := log.deciders(dataset, judged).get(index):
        said.append(f"last decided by {last.who or 'nobody'} {ago(last.when)}")
    return " · ".join(said)


def colour_of(dataset: Dataset, judged: Judged, index: int) -> str:
    """The colour of an image's class as it is labelled now."""
    label = int(judged.labels[index])
    return dataset.classes[label].colour if label >= 0 else _NO_LABEL


def picture(dataset: Dataset, judged: Judged, index: int, kind: str) -> str:
    """One picture with its class's colour below, faded when it is excluded, as HTML."""
    words = escape(hint(dataset, judged, index), quote=True)
    edge = escape(colour_of(dataset, judged, index), quote=True)
    out = "" if judged.included[index] else " out"
    source = data_uri(thumbnail(dataset, index))
    return (
        f'<img class="cell {kind}{out}" alt="{words}" title="{words}" style="--edge:{edge}" src="{source}">'
    )


def head(dataset: Dataset, card: Card, judged: Judged) -> str:
    """Kinds, state, who decided it, and the reason, as HTML."""
    kinds = "".join(
        f'<span class="kind" title="{escape(KINDS[kind].means, quote=True)}">{escape(KINDS[kind].title)}</span>'
        for kind in card.kinds
        if kind in KINDS
    )
    if card.state == "decided":
        gone = int((~judged.included[card.indices]).sum())
        words = "kept" if not gone else "excluded" if gone == len(card.indices) else f"{gone:,} excluded"
        kinds += f'<span class="verdict">{words}{_deciders(dataset, card, judged)}</span>'
    elif card.state == "flagged":
        kinds += f'<span class="verdict">flagged{_deciders(dataset, card, judged)}</span>'
    number = f"<b>{count(len(card.indices), 'image')}</b>" if card.grouped else ""
    return (
        f'<div class="card-head"><div>{kinds}</div>{number}</div><p class="reason">{escape(card.reason)}.</p>'
    )


def _deciders(dataset: Dataset, card: Card, judged: Judged) -> str:
    """Who decided about a card's images: ` by Anna, 3 minutes ago`, as HTML; nothing where nobody gave a name."""
    known = log.deciders(dataset, judged)
    last = [known[index] for index in card.indices.tolist() if index in known]
    names = sorted({one.who for one in last if one.who})
    if not names:
        return ""
    return f" by {escape(' and '.join(names))}, {ago(max(one.when for one in last))}"


def about(dataset: Dataset, judged: Judged, index: int) -> str:
    """Label and place of one image, as HTML."""
    label = int(judged.labels[index])
    chip = class_chip(dataset.classes[label] if label >= 0 else None)
    return f'<p class="about">{chip}<span class="quiet">image {index:,}</span></p>'


def bars(numbers: NDArray[np.integer], lit: NDArray[np.bool_]) -> str:
    """A small histogram, as HTML: one bar a number, those that are lit in colour."""
    most = max(float(np.sqrt(numbers.max(initial=0))), 1.0)  # by their roots: few must be seen beside many
    parts = "".join(
        f'<i{" class=lit" if on else ""} style="height:{100 * float(np.sqrt(number)) / most:.0f}%" '
        f'title="{number:,}"></i>'
        for number, on in zip(numbers.tolist(), lit.tolist(), strict=True)
    )
    return f'<div class="bars">{parts}</div>'


def labels(dataset: Dataset, judged: Judged, indices: NDArray[np.int64], *, bar: bool = True) -> str:
    """How images are labelled now: a bar of their classes and its legend, as HTML."""
    labels = judged.labels[indices]
    found, numbers = np.unique(labels, return_counts=True)
    parts, legend = [], []
    for label, number in zip(found.tolist(), numbers.tolist(), strict=True):
        one = dataset.classes[label] if label >= 0 else None
        colour = escape(one.colour if one else _NO_LABEL, quote=True)
        title = escape(one.title if one else "no label", quote=True)
        parts.append(f'<i style="flex:{number};background:{colour}" title="{title}: {number:,}"></i>')
        legend.append(f"<span>{class_chip(one)} <b>{number:,}</b></span>")
    line = f'<div class="label-bar">{"".join(parts)}</div>' if bar and len(found) > 1 else ""
    return f'<div class="labels">{line}<div class="legend">{"".join(legend)}</div></div>'
