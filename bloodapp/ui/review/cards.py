"""The cards of the review queue: what was found, on which pictures, and what one click can do about it."""

import streamlit as st

from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import Judged
from bloodapp.review.queue import Card
from bloodapp.ui.review import acts, around, closer, keeping, pictures

_TILES = 3  # single images in a row of their own; one or two among groups look like these
_FEW = 4  # pictures that stand beside the words
_KEYS = {"exclude": "x", "keep": "k", "relabel": "s"}  # s: as suggested; Streamlit keeps r for itself


def draw(dataset: Dataset, judged: Judged, page: list[Card]) -> None:
    """Draw a page of cards: the first one large and with keys, then groups as rows and single images as tiles."""
    if not page:
        return
    _large(dataset, judged, page[0])
    run: list[Card] = []
    for card in [*page[1:], None]:
        if card is not None and not card.grouped:
            run.append(card)
            continue
        if len(run) < _TILES:
            for single in run:
                _row(dataset, judged, single)
        else:
            with st.container(key=f"tiles-{run[0].key}"):
                for single in run:
                    _tile(dataset, judged, single)
        run = []
        if card is not None:
            _group(dataset, judged, card)


def _large(dataset: Dataset, judged: Judged, card: Card) -> None:
    """The card that is decided next, with keys for everything."""
    with st.container(border=True, key="card-next"):
        if card.grouped:
            st.html(
                pictures.head(dataset, card, judged)
                + pictures.labels(dataset, judged, card.indices)
                + pictures.strip(dataset, judged, card)
            )
            _actions(dataset, judged, card, large=True)
            return
        index = int(card.indices[0])
        picture, words = st.columns([2, 5], gap="medium")
        picture.html(pictures.picture(dataset, judged, index, "big"))
        with words:
            st.html(pictures.head(dataset, card, judged) + pictures.about(dataset, judged, index))
            _actions(dataset, judged, card, large=True)


def _actions(dataset: Dataset, judged: Judged, card: Card, *, large: bool = False) -> None:
    with st.container(horizontal=True, gap="small" if large else "xsmall"):
        _offers(dataset, judged, card, large=large)
        _more(dataset, judged, card, large=large)
    if large:
        _classes(dataset, card)


def _group(dataset: Dataset, judged: Judged, card: Card) -> None:
    """A group: a few pictures beside the words, many below them."""
    with st.container(border=True, key=f"card-{card.key}"):
        head = pictures.head(dataset, card, judged)
        few = len(card.indices) <= _FEW
        head += pictures.labels(dataset, judged, card.indices, bar=not few)
        if not few:
            st.html(head + pictures.strip(dataset, judged, card))
            _actions(dataset, judged, card)
            return
        left, right = st.columns([1.12, 3], gap="small")
        left.html(pictures.strip(dataset, judged, card))
        with right:
            st.html(head)
            _actions(dataset, judged, card)


def _row(dataset: Dataset, judged: Judged, card: Card) -> None:
    """A single image as a row: the picture beside the words."""
    with st.container(border=True, key=f"card-{card.key}"):
        left, right = st.columns([1.12, 3], gap="small")
        left.html(pictures.strip(dataset, judged, card))
        with right:
            st.html(
                pictures.head(dataset, card, judged) + pictures.about(dataset, judged, int(card.indices[0]))
            )
            _actions(dataset, judged, card)


def _tile(dataset: Dataset, judged: Judged, card: Card) -> None:
    index = int(card.indices[0])
    with st.container(border=True, key=f"card-{card.key}", gap="small"):
        st.html(
            pictures.picture(dataset, judged, index, "tile-picture")
            + pictures.head(dataset, card, judged)
            + pictures.about(dataset, judged, index)
        )
        with st.container(horizontal=True, gap="xsmall"):
            _offers(dataset, judged, card)
            _more(dataset, judged, card)


def _offers(dataset: Dataset, judged: Judged, card: Card, *, large: bool = False) -> None:
    """The decisions about the whole card; on the large card the advisable one stands out and has the key."""
    free = set(_KEYS.values())
    for place, offer in enumerate(keeping.offered(dataset, judged, card)):
        key = _KEYS[offer.action]
        shortcut = key if large and acts.keys() and key in free else None
        free.discard(key)
        st.button(
            offer.title,
            key=f"{offer.key}-{card.key}",
            type="primary" if large and place == 0 else "secondary",
            shortcut=shortcut,
            on_click=acts.take,
            args=(dataset, card, offer),
        )


def _more(dataset: Dataset, judged: Judged, card: Card, *, large: bool = False) -> None:
    """What is done less often: keeping another one, another label, putting aside, a closer look, look-alikes."""
    if card.grouped:
        keeping.draw_menu(dataset, judged, card, large=large)
    if large:
        st.button(
            "Flag",
            key=f"flag-{card.key}",
            shortcut="f" if acts.keys() else None,
            icon=":material/flag:",
            help="Put it aside to look at it again.",
            on_click=acts.decide,
            args=(dataset, card.indices, "flag"),
            kwargs={"because": acts.FLAG_REASONS[0]},
        )
    else:
        _relabel_menu(dataset, card)
    menu = f"flag-why-{card.key}"
    st.menu_button(
        "Flag because" if large else "",
        acts.FLAG_REASONS,
        key=menu,
        type="tertiary",
        icon=None if large else ":material/flag:",
        help=f"Put {'them' if card.grouped else 'it'} aside, and say why",
        on_click=acts.flag,
        args=(dataset, card.indices, menu),
    )
    if card.grouped:
        st.button(
            "Compare" if large else "",
            key=f"closer-{card.key}",
            type="tertiary",
            icon=":material/compare:",
            help="See them side by side with what differs, or choose some",
            shortcut="g" if large and acts.keys() else None,
            on_click=closer.ask_for,
            args=(card,),
        )
    st.button(
        "Find what looks like this" if large else "",
        key=f"like-{card.key}",
        type="tertiary",
        icon=":material/image_search:",
        help="Find what looks like this",
        on_click=around.mark,
        args=(int(card.indices[0]),),
    )


def _relabel_menu(dataset: Dataset, card: Card) -> None:
    order = sorted(range(len(dataset.classes)), key=lambda label: label != card.suggested)
    menu = f"relabel-{card.key}"
    st.menu_button(
        "",
        order,
        key=menu,
        type="tertiary",
        icon=":material/label:",
        help="Give another label",
        format_func=lambda label: (
            dataset.classes[label].title + (" (suggested)" if label == card.suggested else "")
        ),
        on_click=acts.relabel,
        args=(dataset, card.indices, menu, acts.why(card)),
    )


def _classes(dataset: Dataset, card: Card) -> None:
    """One button a class, with its key: the label that the images of the card should have."""
    whom = "all of them" if card.grouped else "it"
    st.html(f'<p class="quiet relabel">Or label {whom} as</p>')
    with st.container(horizontal=True, gap="xsmall", key="classes"):
        for label, one in enumerate(dataset.classes):
            st.button(
                one.title,
                key=f"class-{label}-{card.key}",
                type="tertiary",
                shortcut=(one.shortcut or None) if acts.keys() else None,
                on_click=acts.decide,
                args=(dataset, card.indices, "relabel"),
                kwargs={"label": label, "because": acts.why(card)},
            )
