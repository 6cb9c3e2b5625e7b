"""Where a run looks in one image: Grad-CAM for two classes, and a check by hiding parts."""

from html import escape
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import streamlit as st

from bloodapp.charts.overlay import overlaid
from bloodapp.errors import InvalidValue
from bloodapp.evaluate.occlusion import Occlusion, agreement, in_words, occlusion
from bloodapp.runs.run import Run
from bloodapp.ui import classify_answers, frame, state, thumbs
from bloodapp.ui.evaluate.reading import choose

if TYPE_CHECKING:
    from bloodapp.classify.explain import Explainer
    from bloodapp.classify.predictor import Predictor

FILTERS: tuple[str, ...] = ("asks", "places", "hiding")
"""Names in the address that this view keeps its choices under."""

_MOST_SIDES = 3
_FINER = 1.5
"""How many times as fine the next map is that is offered: a convolution ahead of its pooling shows nothing new."""
_REMEMBERED = 64
_LITTLE = 0.01
"""A fall of the probability below this says nothing of where the run looks."""
_SCALE = 4
_LOADED: set[classify_answers.Model] = set()

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


def in_memory(run: Run) -> bool:
    """Whether this server has explained an answer of this run already, so that asking again costs little."""
    return classify_answers.key(run) in _LOADED


def predictor(run: Run) -> "Predictor":
    """The run's model, loaded once per server; imports TensorFlow."""
    found: Predictor = classify_answers.loaded(classify_answers.key(run))  # type: ignore[assignment]
    _LOADED.add(classify_answers.key(run))
    return found


def draw(run: Run, image: Pixels, answered: Floats, label: int | None) -> None:
    """Draw the maps for the answer and for another class, and the check where it is asked for."""
    frame.section("Where the run looks", "Grad-CAM: which parts of the image speak for a class.")
    answer = int(answered.argmax())
    with st.container(horizontal=True, vertical_alignment="bottom"):
        other = _other(run, answered, label)
        explainer = _sees(run)
        side = None if explainer is None else _side(explainer)
        hiding = _hiding()
    asked = [answer] if other == answer else [answer, other]
    figures, lights = [], []
    if explainer is not None:
        lights = list(explainer.maps(np.repeat(image[None], len(asked), 0), asked, side=side))
        figures += [
            _figure(run, image, light, which, answer, label)
            for light, which in zip(lights, asked, strict=True)
        ]
    hidden = _hidden(run, image) if hiding else None
    if hidden is not None:
        figures += [_checked(run, image, hidden, which) for which in asked]
    if not figures:
        return
    st.html(f'<div class="looks">{"".join(figures)}</div>{_KEY}')
    if hidden is not None and lights:
        named = run.classes[answer].title
        said = (
            in_words(agreement(lights[0], hidden.map(answer)))
            if hidden.most(answer) >= _LITTLE
            else "No single part decides it: whichever is hidden, the answer stays as sure."
        )
        st.html(f'<p class="whysaid">For {escape(named)}: {said}</p>')


_KEY = (
    '<div class="lightkey"><span>less<i></i>more speaks for the class, each map on its own scale</span>'
    "<span><u></u>inside the line: more than half of the most</span></div>"
)


def _other(run: Run, answered: Floats, label: int | None) -> int:
    """The class beside the answer: the one chosen, else the label, else the second most likely."""
    keys = [one.key for one in run.classes]
    answer = int(answered.argmax())
    usual = label if label is not None and label != answer else int(np.argsort(-answered)[1 % len(keys)])
    kept = state.get("asks")
    current = keys.index(kept) if kept in keys else usual
    box = "evaluate-why-asks"
    state.show(box, keys[current])

    def keep() -> None:
        picked = st.session_state[box]
        state.put("asks", None if picked == keys[usual] else picked)

    st.selectbox(
        "Beside the answer",
        keys,
        key=box,
        format_func=lambda key: (
            run.classes[keys.index(key)].title + (" (the label)" if label == keys.index(key) else "")
        ),
        on_change=keep,
        width=250,
    )
    return current


def _sees(run: Run) -> "Explainer | None":
    try:
        return _explainer(classify_answers.key(run))
    except InvalidValue as error:
        st.html(f'<p class="quiet">{escape(str(error))}</p>')
        return None


@st.cache_resource(max_entries=2, show_spinner=False)
def _explainer(model: classify_answers.Model) -> "Explainer":
    from bloodapp.classify.explain import Explainer

    return Explainer(classify_answers.loaded(model))  # type: ignore[arg-type]


def _side(explainer: "Explainer") -> int:
    """The map's fineness: the last one tells most of the class, earlier ones more of the place."""
    shown: list[int] = []
    for one in explainer.sides[::-1]:
        if len(shown) < _MOST_SIDES and (not shown or one >= _FINER * shown[-1]):
            shown.append(one)
    return int(choose("places", {str(one): f"{one} × {one} places" for one in shown}, "How fine the map is"))


def _hiding() -> bool:
    box = "evaluate-why-hiding"
    state.show(box, state.get("hiding") == "on")
    st.toggle(
        "Check by hiding parts",
        key=box,
        on_change=lambda: state.put("hiding", "on" if st.session_state[box] else None),
        help="Covers one part of the image after the other and looks how far the probability falls. It asks the model "
        "some 200 times and knows nothing of how the network works.",
    )
    return bool(st.session_state[box])


def _hidden(run: Run, image: Pixels) -> Occlusion:
    """The check, remembered for the images looked at last; a bar shows how far it is."""
    kept, this = _remembered(), (classify_answers.key(run), image.tobytes())
    if this not in kept:
        bar = st.progress(0.0, text="Hiding one part after the other")

        def tell(done: int, every: int) -> None:
            bar.progress(done / every, text="Hiding one part after the other")

        found = occlusion(image, classify_answers.loaded(this[0]), progress=tell)
        bar.empty()
        while len(kept) >= _REMEMBERED:
            kept.pop(next(iter(kept)), None)
        kept[this] = found
        return found
    return kept[this]


@st.cache_resource(show_spinner=False)
def _remembered() -> dict[tuple[classify_answers.Model, bytes], Occlusion]:
    return {}


def _figure(run: Run, image: Pixels, light: Floats, which: int, answer: int, label: int | None) -> str:
    named = run.classes[which]
    role = "the answer" if which == answer else "the label" if which == label else "chosen"
    if which == answer == label:
        role = "the answer, as labelled"
    empty = "" if light.any() else " Nothing in the image speaks for it."
    return _shown(
        overlaid(image, light, scale=_SCALE),
        f"Grad-CAM for {named.title}",
        f"{thumbs.class_chip(named)}<small>Grad-CAM, {role}.{empty}</small>",
    )


def _checked(run: Run, image: Pixels, hidden: Occlusion, which: int) -> str:
    named, most = run.classes[which], hidden.most(which)
    said = (
        f"Hiding: the probability falls by up to {100 * most:.0f} points."
        if most >= _LITTLE
        else "Hiding: no part takes a point of probability from it."
    )
    light = hidden.map(which) if most >= _LITTLE else np.zeros(image.shape[:2], np.float32)
    return _shown(
        overlaid(image, light, scale=_SCALE),
        f"Fall of the probability of {named.title} when parts are hidden",
        f"{thumbs.class_chip(named)}<small>{said}</small>",
    )


def _shown(picture: Pixels, alt: str, caption: str) -> str:
    return (
        f'<figure><img alt="{escape(alt, quote=True)}" src="{thumbs.data_uri(picture)}">'
        f"<figcaption>{caption}</figcaption></figure>"
    )
