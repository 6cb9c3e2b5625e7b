"""Beside the queue: how far the labelling is, which run proposes, and training on what is labelled so far."""

from collections.abc import Callable
from html import escape

import streamlit as st

from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import Judged
from bloodapp.errors import BloodappError
from bloodapp.jobs.job import ACTIVE, Job
from bloodapp.review import labelling
from bloodapp.review import proposals as room
from bloodapp.review.proposals import Proposals
from bloodapp.runs.run import Run, list_runs, open_run
from bloodapp.train import onward
from bloodapp.ui import background, frame, state
from bloodapp.ui.review import acts, predicted
from bloodapp.ui.review.labelling import table
from bloodapp.ui.text import ago, count
from bloodapp.ui.thumbs import class_chip

RUN = "l_run"
"""Which run is to propose, in the address."""


def proposing(dataset: Dataset) -> Run | None:
    """The run whose proposals are shown: the chosen one, another while it is still at work, None for none."""
    chosen = str(state.get(RUN) or "")
    if chosen:
        try:
            run = open_run(chosen)
        except BloodappError:
            run = None
        if run is not None and (_whole(dataset, run) or not _at_work(room.job_of(dataset, run))):
            return run
    return room.latest(dataset) or predicted.run_of(dataset)


def watch(dataset: Dataset) -> None:
    """Show the jobs that the queue waits for: proposals being made, a training on the labels."""
    run = _chosen(dataset)
    asked = room.job_of(dataset, run) if run else None
    if asked is not None and not _whole(dataset, run):
        background.watch(asked, key="label-propose", dismiss=True)
    learner = learning(dataset)
    if learner is not None and not learner.finished:
        background.watch(learner.job, key="label-train", dismiss=True)


def learning(dataset: Dataset) -> Run | None:
    """The newest run that goes on from another one with this dataset's labels."""
    for run in list_runs():
        weights = str(run.config.get("recipe", {}).get("weights", ""))
        if run.dataset == dataset.name and not run.shipped and weights.startswith("run:"):
            return run
    return None


def draw(
    dataset: Dataset, judged: Judged, run: Run | None, says: Proposals | None, progress: labelling.Progress
) -> None:
    """Draw it."""
    st.html(_progress_html(dataset, progress))
    _learned(dataset, run)
    _proposals(dataset, judged, run, says, progress)
    _onward(dataset, judged, run)
    table.draw(dataset, judged, says)


def _progress_html(dataset: Dataset, progress: labelling.Progress) -> str:
    asked = progress.here + progress.left
    most = max((one.total for one in progress.classes), default=1) or 1
    rows = []
    for one in progress.classes:
        own = dataset.classes[one.label]
        given = f"<small>{one.given:,} given</small> " if one.given else ""
        rows.append(
            f'<div role="listitem">{class_chip(own)}<b>{given}{one.here:,}</b>'
            f'<div class="bar"><u style="width:{100 * one.given / most:.1f}%"></u>'
            f'<i style="left:{100 * one.given / most:.1f}%;width:{100 * one.here / most:.1f}%;'
            f'background:{escape(own.colour)}"></i></div></div>'
        )
    aside = f", {progress.flagged:,} of them put aside" if progress.flagged else ""
    return (
        '<div class="remains labelled-so-far"><h2>Labelled here</h2>'
        f'<p class="big"><b>{progress.here:,}</b> of {asked:,} · {100 * progress.share:.0f} %</p>'
        f'<p class="quiet">{progress.left:,} left{aside}</p>'
        f'<div class="by-class" role="list">{"".join(rows)}</div></div>'
    )


def _proposals(
    dataset: Dataset, judged: Judged, run: Run | None, says: Proposals | None, progress: labelling.Progress
) -> None:
    frame.section("Proposals")
    if run is None:
        st.html(
            '<p class="quiet">No finished run knows a class of this dataset. Label by hand: when each class has '
            f"{onward.FEWEST} images, a first training can follow on the Train page.</p>"
        )
        return
    _choose(dataset, run)
    if says is not None and says.whole:
        st.html(f'<p class="quiet">{_taken(dataset, judged, says)}</p>')
        return
    if _at_work(room.job_of(dataset, run)):
        st.html('<p class="quiet">It is looking at the images; the queue follows when it is done.</p>')
        return
    some = "It has spoken of some images only. " if says is not None else ""
    st.html(
        f'<p class="quiet">{some}Asked about all, it proposes a label for each, and the least certain come first. '
        "Until then they come in the order of their files.</p>"
    )
    if progress.left and st.button(
        f"Ask {run.title} about all images", key="label-ask", type="primary", width="stretch"
    ):
        ask(dataset, run)


def _choose(dataset: Dataset, run: Run) -> None:
    runs = {one.name: one.title for one in room.proposers(dataset)}
    if run.name not in runs:
        runs = {run.name: run.title, **runs}
    state.show("label-run", run.name)
    st.selectbox(
        "Who proposes",
        list(runs),
        key="label-run",
        format_func=lambda name: runs.get(name, name),
        label_visibility="collapsed",
        on_change=lambda: state.put(RUN, st.session_state["label-run"]),
    )


def _taken(dataset: Dataset, judged: Judged, says: Proposals) -> str:
    found = labelling.taken(dataset, judged, says)
    asked = f"Asked about {count(len(says), 'image')}, {ago(says.when)}."
    if not found.count:
        return f"{asked} What you take of it is counted here."
    share = found.share
    return (
        f"{asked} Of {found.count:,} labelled here <b>{found.hits:,}</b> are as it proposes: "
        f"<b>{100 * share.value:.0f} %</b> (95 %: {100 * share.low:.0f} to {100 * share.high:.0f}). No measure of the "
        "run: the least certain come first, and who sees a proposal leans to it."
    )


def _onward(dataset: Dataset, judged: Judged, run: Run | None) -> None:
    """Training on what is labelled so far, from the run that proposes."""
    if run is None:
        return
    learner = learning(dataset)
    if learner is not None and _at_work(learner.job):
        return
    ready = onward.ready(dataset, judged)
    frame.section("Learn from them")
    note = (
        ready.missing
        or f"{run.title} learns on, from all labels there are, for {onward.MINUTES:.0f} minutes."
    )
    st.html(f'<p class="quiet">{escape(note)}</p>')
    pressed = st.button(
        "Train on what is labelled so far and go on",
        key="label-onward",
        width="stretch",
        disabled=not ready.possible,
    )
    if pressed:
        _then(lambda: onward.onward(dataset, run))


def _learned(dataset: Dataset, run: Run | None) -> None:
    """A run that has learned from these labels and has not been asked yet."""
    learner = learning(dataset)
    if learner is None or not learner.finished or (run is not None and run.name == learner.name):
        return
    if _whole(dataset, learner) or _at_work(room.job_of(dataset, learner)):
        return
    with st.container(border=True, key="label-learned"):
        st.html(
            f"<p><b>{escape(learner.title)}</b> has learned from your labels. It may be sure of more now, and unsure "
            "of others.</p>"
        )
        if st.button("Let it propose", key="label-learned-ask", type="primary", width="stretch"):
            state.put(RUN, learner.name)
            ask(dataset, learner)


def ask(dataset: Dataset, run: Run) -> None:
    """Have a run look at all images in the background, and draw the page anew."""
    _then(lambda: room.propose(dataset, run))


def _then(submit: Callable[[], object]) -> None:
    try:
        submit()
    except BloodappError as problem:
        acts.wrong(problem)
    else:
        background.runner().wake()
    st.rerun()


def _chosen(dataset: Dataset) -> Run | None:
    name = str(state.get(RUN) or "")
    try:
        return open_run(name) if name else proposing(dataset)
    except BloodappError:
        return proposing(dataset)


def _whole(dataset: Dataset, run: Run | None) -> bool:
    said = predicted.proposals(dataset, run)
    return said is not None and said.whole


def _at_work(job: Job | None) -> bool:
    return job is not None and job.state() in ACTIVE
