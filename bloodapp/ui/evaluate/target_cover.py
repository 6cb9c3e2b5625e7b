"""Which augmentation would cover the distance of a drop, and the ways to it: Augment to look, Train to use it."""

from html import escape

import streamlit as st

from bloodapp.evaluate import target_words
from bloodapp.evaluate.target import Target
from bloodapp.evaluate.target_cover import BUILT, COVERED, OWN, PLAIN, SAVED, Cover
from bloodapp.evaluate.target_measures import MEASURES
from bloodapp.jobs.job import Job
from bloodapp.train.recipes import DEFAULT, RECIPES
from bloodapp.ui import frame, state
from bloodapp.ui.evaluate.reading import Reading
from bloodapp.ui.evaluate.target_distance import comparable
from bloodapp.ui.text import plain

_ROWS = 8
_MOST_COLUMNS = 6
_KINDS = {PLAIN: "no augmentation", OWN: "this run", BUILT: "built for these images", SAVED: "saved by you"}


def draw(reading: Reading, job: Job, found: Target) -> None:
    """Draw what is advised, the ways to it, and what each pipeline covers."""
    del job
    if not comparable(reading, found):
        return
    moved, covers, advised = found.moved, found.covers, found.advised
    if not moved or not covers:
        frame.section("Nothing to cover", "no measure of light, focus, colour or stain lies apart")
        st.html(
            '<p class="lead">The images look like the training images. Where the run is still wrong, it lacks labelled '
            "images rather than augmentation.</p>"
        )
        return
    best = advised[0] if advised else None
    st.html(
        f'<p class="lead">{_advice(best, covers, moved) if best else escape(target_words.NONE_ADVISED)}</p>'
    )
    if best and best.candidate.kind != OWN:
        _ways(reading, best)
    shown = advised[:_ROWS]
    shown += [each for each in covers if each.candidate.kind == OWN and each not in shown]
    st.html(_table(found, shown, moved[:_MOST_COLUMNS], best))
    name = escape(str(found.content["training"]["dataset"]))
    st.html(
        f'<p class="quiet">Under a measure: the share of your images within the range that holds 95 % of what the '
        f"pipeline makes of the training images of {name}. {escape(target_words.RULE)} "
        "Width: how much wider its ranges are than the images’ own, as a mean factor; what is wider than needed is "
        "learned for nothing. Other cells or other classes no pipeline covers.</p>"
    )


def _advice(best: Cover, covers: list[Cover], moved: list[str]) -> str:
    name = f"<b>{escape(best.candidate.title)}</b>"
    own = next((each for each in covers if each.candidate.kind == OWN), None)
    worst = MEASURES[min(moved, key=lambda key: best.shares.get(key, 1.0))].title.lower()
    if best.covers(moved):
        if best.candidate.kind == OWN:
            return (
                "The run was trained under an augmentation that covers these images already: another training of "
                "the same kind would bring little. Labels of your own would."
            )
        before = (
            f" The run’s own covers {int(100 * own.least(moved))} % at its worst, {own.apart:.1f} apart."
            if own
            else ""
        )
        return (
            f"{name} comes nearest of those that cover all that moved: {int(100 * best.least(moved))} % of your images "
            f"or more lie within what it makes of the training images, {best.apart:.1f} apart.{before}"
        )
    return (
        f"No pipeline that was tried covers all that moved. {name} comes nearest: {int(100 * best.least(moved))} % of "
        f"your images at its worst, {escape(worst)}, {best.apart:.1f} apart. For the rest label images of your own."
    )


def _ways(reading: Reading, best: Cover) -> None:
    with st.container(horizontal=True, key="target-ways"):
        if st.button(
            "Train with it", type="primary", icon=":material/model_training:", key="target-train",
            help=plain(best.candidate.text),
        ):  # fmt: skip
            _choose_dataset(reading)
            state.choose_run(None)
            recipe = reading.run.recipe if reading.run.recipe in RECIPES else DEFAULT
            chosen = {"train": "new", "recipe": recipe, "augment": best.candidate.name}
            st.switch_page("pages/3_Train.py", query_params={**state.address(), **chosen})
        if st.button("Look at it on Augment", icon=":material/auto_awesome_motion:", key="target-augment"):
            _choose_dataset(reading)
            state.put("from", None)
            st.switch_page(
                "pages/2_Augment.py", query_params={**state.address(), "pipeline": best.candidate.name}
            )


def _choose_dataset(reading: Reading) -> None:
    """Go on with the dataset that the run learned from: that is what is augmented."""
    if reading.dataset is not None and state.get("dataset") != reading.dataset.name:
        state.choose_dataset(reading.dataset.name)


def _table(found: Target, shown: list[Cover], keys: list[str], best: Cover | None) -> str:
    heads = ["pipeline", *(MEASURES[key].title for key in keys), "apart", "width"]
    rows = [_row(found.plain, keys)] if found.plain else []
    rows += [_row(each, keys, best=each == best) for each in shown]
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    return (
        f'<div class="scroll"><table class="figures covers"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _row(one: Cover, keys: list[str], *, best: bool = False) -> str:
    cells = []
    for key in keys:
        share = one.shares.get(key, float("nan"))
        covered = share >= COVERED
        figure = "–" if share != share else f"{int(100 * share)} %{' ✓' if covered else ''}"
        cells.append(f'<td class="{"covered" if covered else ""}">{figure}</td>')
    note = _KINDS.get(one.candidate.kind, "")
    under = f"<small>{escape(note)}</small>" if note else ""
    text = escape(one.candidate.text, quote=True)
    return (
        f'<tr class="{"best" if best else ""}" title="{text}"><td><b>{escape(one.candidate.title)}</b>{under}</td>'
        f"{''.join(cells)}<td>{one.apart:.1f}</td><td>{one.width:.1f}</td></tr>"
    )
