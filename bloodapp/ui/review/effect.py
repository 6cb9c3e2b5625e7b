"""Did it help? One button trains the same recipe and seed before and after the decisions, and shows the change.

Everything is read from the runs' own files: a reload, another tab and the command line show the same pair.
"""

from functools import lru_cache
from html import escape
from pathlib import Path

import numpy as np
import streamlit as st

from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.data.decisions import Judged
from bloodapp.errors import BloodappError
from bloodapp.evaluate.effect import Pair, pairs
from bloodapp.jobs.job import ACTIVE, request_stop, resume
from bloodapp.runs.run import Run
from bloodapp.train.effect import PairPlan, plan_pair, start_pair, untimed
from bloodapp.train.forecast import forecast
from bloodapp.train.recipe import Recipe
from bloodapp.train.recipes import DEFAULT, RECIPES
from bloodapp.train.settings import quick, with_settings
from bloodapp.ui import background, css, frame, state
from bloodapp.ui.review import effect_result
from bloodapp.ui.standing import identity
from bloodapp.ui.text import count, duration, plain, time_left
from bloodapp.ui.train.state import chip

_RECIPE, _SEED, _QUICK = "effect_recipe", "effect_seed", "effect_quick"
_STYLE = Path(__file__).parents[1] / "train" / "page.css"  # the states of a run look as on the Train page
_SIDES = ("Before: the dataset as it was given", "After: what the decisions leave")


def draw(dataset: Dataset, judged: Judged) -> None:
    """Draw this part of the page."""
    css.style(_STYLE)
    found = pairs(dataset)
    with st.container(key="effect"):
        if not found:
            frame.section("Did it help?", "The same recipe and seed, before and after your decisions.")
            _setup(dataset, judged, first=True)
        elif found[0].done:
            _finished(dataset, judged, found)
        else:
            _unfinished(dataset, judged, found[0])
            last = next((pair for pair in found if pair.done), None)
            if last is not None:
                frame.section("The last complete pair")
                _result(dataset, last, found)


def _finished(dataset: Dataset, judged: Judged, found: list[Pair]) -> None:
    pair = found[0]
    since = judged.seq - pair.seq
    if since > 0:
        frame.section(
            "Did it help?",
            f"{count(since, 'decision')} taken since the last pair: train again to see their part.",
        )
        _setup(dataset, judged, first=True, seed=pair.seed)
    _result(dataset, pair, found)
    if since <= 0:
        with st.expander("Train again, with another seed or recipe", key="effect-again"):
            _setup(dataset, judged, first=False, seed=pair.seed + 1)


def _result(dataset: Dataset, pair: Pair, found: list[Pair]) -> None:
    try:
        effect_result.draw(dataset, pair)
        effect_result.others(found)
    except BloodappError as problem:
        frame.error(problem)


def _unfinished(dataset: Dataset, judged: Judged, pair: Pair) -> None:
    """Both trainings as they go, or how they ended and how to go on."""
    before = [run.state() for run in (pair.before, pair.after)]
    busy = any(one in ACTIVE for one in before)
    halves = [
        (run, side, int((run.split()["part"] == "train").sum()))
        for run, side in zip((pair.before, pair.after), _SIDES, strict=True)
    ]
    frame.section(
        "Training before and after" if busy else "The pair is not complete",
        f"{pair.after.recipe}, seed {pair.seed}, one after the other. It goes on when this page is closed."
        if busy
        else "Both halves must reach their end to be compared.",
    )
    with st.container(border=True, key="effect-progress"):

        def follow() -> None:
            if [run.state() for run in (pair.before, pair.after)] != before:
                state.rerun()
            st.html("".join(_half(run, side, images) for run, side, images in halves))

        background.live(follow, [run.job for run in (pair.before, pair.after)], active=busy)
        with st.container(horizontal=True, vertical_alignment="center"):
            if busy:
                _stop_button(pair)
            else:
                st.button(
                    "Continue",
                    key="effect-continue",
                    type="primary",
                    icon=":material/play_arrow:",
                    on_click=_continue,
                    args=(pair,),
                )
            for run, side in ((pair.before, "Before"), (pair.after, "After")):
                address = {**state.address(), "run": run.name}
                st.page_link("pages/3_Train.py", label=f"{side} on the Train page", query_params=address)
    if not busy:
        with st.expander("Start a new pair instead", key="effect-again"):
            _setup(dataset, judged, first=False, seed=pair.seed)


def _half(run: Run, side: str, images: int) -> str:
    """One training of the pair as HTML: what it learns from, its state, how far it is."""
    status = run.job.status()
    now = str(status["state"])
    # A half that was broken off has read its results, too: its job's share says nothing of the training.
    share = 1.0 if now == "done" else (background.share(status) or 0.0) if now in ACTIVE else 0.0
    said = {
        "queued": "Waiting for its turn; it starts by itself",
        "running": " · ".join(
            part for part in (str(status.get("text") or "Starting"), time_left(status.get("eta_s"))) if part
        ),
        "done": "Done",
        "stopped": "Stopped on request; it continues where it stopped",
        "interrupted": "Cut off: its process ended before the work was done. It continues after the last whole epoch",
        "failed": f"It did not work. {status.get('error') or 'The reason is in its log.'}",
    }.get(now, now)
    if run.job.stopping() and now in ACTIVE:
        said = "Stopping: the best epoch is being kept"
    return (
        f'<div class="half"><div><b>{escape(side)}</b>{chip(now)}<span class="quiet">{count(images, "image")} '
        f'to learn from</span></div><div class="bar"><i style="width:{100 * share:.1f}%"></i></div>'
        f'<p class="quiet">{escape(said)}</p></div>'
    )


def _stop_button(pair: Pair) -> None:
    halves = [run for run in (pair.before, pair.after) if run.state() in ACTIVE]
    stopping = all(run.job.stopping() for run in halves)
    if st.button(
        "Stopping…" if stopping else "Stop both",
        key="effect-stop",
        disabled=stopping,
        help="What is there is kept; both can be continued.",
    ):
        for run in reversed(halves):
            request_stop(run.job)
        st.rerun()


def _continue(pair: Pair) -> None:
    for run in (pair.before, pair.after):
        try:
            if run.state() not in (*ACTIVE, "done"):
                resume(run.job)
        except BloodappError as error:
            st.toast(plain(str(error)), icon=":material/error:")
    background.runner().wake()


def _setup(dataset: Dataset, judged: Judged, *, first: bool, seed: int | None = None) -> None:
    """What would be trained and compared, for how long, and the button; `first`: it is the view's primary one.

    `seed` is offered unless the user has chosen another; none means the recipe's own.
    """
    if judged.included.all() and np.array_equal(judged.labels, dataset.labels):
        _nothing_decided()
        return
    with st.container(border=first, key="effect-setup"):
        left, right = frame.columns("effect-setup", [5, 6])
    with left:
        recipe, shrink = _recipe(seed)
    effective = quick(recipe) if shrink else recipe
    with right:
        try:
            plan = _plan(dataset.name, identity(dataset), judged.seq, effective)
        except BloodappError as error:
            frame.error(error)
            return
        st.html(_planned(plan, effective))
        started = int(st.session_state.get("kept.pairs_started", 0))
        # The key changes with every start, so that a double click cannot start two pairs.
        if st.button(
            "Train before and after",
            key=f"effect-start-{started}",
            type="primary" if first else "secondary",
            icon=":material/compare_arrows:",
        ):
            st.session_state["kept.pairs_started"] = started + 1
            _start(dataset, recipe, shrink)


def _nothing_decided() -> None:
    with st.container(border=True, key="effect-empty"):
        st.html(
            '<div class="empty"><h2>Nothing is decided yet</h2><p>Exclude or relabel images first. Then one button '
            "trains the same recipe twice, on the dataset as it was given and on what you left, and shows what "
            "your decisions changed.</p></div>"
        )
        st.button(
            "Open the queue", key="effect-queue", type="primary", on_click=state.put, args=("view", None)
        )


def _recipe(seed: int | None) -> tuple[Recipe, bool]:
    chosen = state.get(_RECIPE) if state.get(_RECIPE) in RECIPES else DEFAULT
    st.session_state["effect-recipe-box"] = chosen
    st.selectbox(
        "Recipe",
        list(RECIPES),
        key="effect-recipe-box",
        format_func=lambda name: RECIPES[name].title,
        on_change=lambda: state.put(_RECIPE, st.session_state["effect-recipe-box"]),
    )
    st.html(f'<p class="quiet">{escape(RECIPES[chosen].why)}</p>')
    with st.container(horizontal=True, vertical_alignment="bottom"):
        own = state.get(_SEED)
        st.session_state["effect-seed-box"] = int(
            (RECIPES[chosen].seed if seed is None else seed) if own is None else own
        )
        number = st.number_input(
            "Seed",
            0,
            2**31 - 1,
            step=1,
            key="effect-seed-box",
            width=140,
            help="All randomness derives from it, the split too. Pairs with different seeds show how far they agree.",
            on_change=lambda: state.put(_SEED, st.session_state["effect-seed-box"]),
        )
        st.session_state["effect-quick-box"] = bool(state.get(_QUICK))
        st.toggle(
            "Quick trial",
            key="effect-quick-box",
            help="256 images, one epoch, the smallest network: it shows that everything works, not what cleaning does.",
            on_change=lambda: state.put(_QUICK, st.session_state["effect-quick-box"]),
        )
    return with_settings(RECIPES[chosen], {"seed": number}), bool(state.get(_QUICK))


def _planned(plan: PairPlan, recipe: Recipe) -> str:
    """The two trainings and their common judges as HTML."""
    trains, judges = plan.images("train"), plan.images(plan.judged_on)[1]
    gone, other = plan.touched
    taken = [words for number, words in ((gone, "excluded"), (other, "relabelled")) if number]
    numbers = {"excluded": gone, "relabelled": other}
    changes = ", ".join(f"{numbers[words]:,} {words}" for words in taken)
    recipe = untimed(recipe, trains[0])
    both = [forecast(recipe, number).seconds for number in trains]
    cost = f"{count(recipe.epochs, 'epoch')} each, with the same seed, one after the other"
    if None not in both:
        cost = f"About {duration(sum(second or 0 for second in both))}: {cost}"
    else:
        cost += "; the time is not known yet, for nothing like it has run on this computer"
    part = "test" if plan.judged_on == "test" else "validation"
    return (
        '<div class="sides">'
        f"<div><span>before</span><b>{trains[0]:,}</b><p>images to learn from, under their given labels</p></div>"
        f"<div><span>after</span><b>{trains[1]:,}</b><p>images to learn from: {escape(changes)}</p></div>"
        f"<div><span>judge both</span><b>{judges:,}</b><p>{part} images that neither sees, under the decided labels"
        f'</p></div></div><p class="quiet">{escape(cost)}.</p>'
    )


def _start(dataset: Dataset, recipe: Recipe, shrink: bool) -> None:
    try:
        start_pair(dataset, recipe, shrink=shrink)
    except BloodappError as error:
        frame.error(error)
        return
    state.put(_SEED, None)
    background.runner().wake()
    st.rerun()


@lru_cache(maxsize=16)
def _plan(name: str, identity: str, seq: int, recipe: Recipe) -> PairPlan:
    del identity, seq  # parts of the key only
    return plan_pair(open_dataset(name), recipe)
