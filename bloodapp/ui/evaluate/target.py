"""Unlabelled images from the microscope where the model will be used: how far they are from the training images."""

from html import escape
from pathlib import Path

import streamlit as st

from bloodapp.errors import BloodappError
from bloodapp.evaluate import target, target_words
from bloodapp.evaluate.target import Target
from bloodapp.jobs.job import Job, delete_job
from bloodapp.runs.run import Run
from bloodapp.ui import background, css, frame, state
from bloodapp.ui.evaluate import target_answers, target_cover, target_distance, target_form, target_label
from bloodapp.ui.evaluate.reading import Reading, choose
from bloodapp.ui.text import ago, count, plain

STYLE = Path(__file__).with_name("target.css")

FILTERS = ("drop", "about", "measure")
"""Names in the address that this view keeps its choices under."""

ABOUT = {
    "distance": ("How far?", target_distance.draw),
    "cover": ("What would help?", target_cover.draw),
    "answers": ("What does the run say?", target_answers.draw),
    "label": ("Which to label first?", target_label.draw),
}
"""What a drop tells, by its key in the address: what it is called, and what draws it."""

_SHOWN = 20


def draw(reading: Reading) -> None:
    """Draw the drops of the run: one on show, those at work, and the way to compare others."""
    css.style(STYLE)
    run = reading.run
    if not run.model_path.exists():
        st.html('<p class="quiet">This run has no model to ask.</p>')
        return
    jobs = target.drops(run)
    done = [job for job in jobs if (job.folder / target.RESULT).exists() and job.state() == "done"]
    with st.container(key="target-jobs"):  # in its place: what is being typed below stays when one ends
        for job in jobs:
            if job not in done:
                background.watch(job, key=f"target-{job.id}", dismiss=True)
    shown = done or [job for job in jobs if job.state() in background.ACTIVE]
    if not shown:
        _about()
        target_form.draw(run, primary=True)
        return
    chosen = next((job for job in shown if job.id == state.get("drop")), shown[0])
    with st.container(horizontal=True, vertical_alignment="bottom", key="target-bar"):
        _picker(shown, chosen)
        with st.popover("Compare others", icon=":material/add:", key="target-more"):
            target_form.draw(run, primary=False)
        if done:
            _delete(chosen)
    if not done:
        _about()
        return
    try:
        found = target.read(chosen.folder)
    except (BloodappError, OSError) as error:
        frame.error(f"This comparison cannot be read: delete it, and compare the images again. {error}")
        return
    _notes(run, found)
    about = choose("about", {key: title for key, (title, _) in ABOUT.items()}, "What to know")
    ABOUT[about][1](reading, chosen, found)


def _about() -> None:
    """Nothing compared yet: what it is for."""
    frame.section("Images from your microscope", "no labels needed")
    st.html(
        '<p class="lead">Give some images from where the model will be used: another microscope, another stain, '
        "another laboratory. You learn how far they lie from the training images, which augmentation would cover "
        "that, what the run says of them, and which of them to label first.</p>"
    )


def _picker(jobs: list[Job], chosen: Job) -> None:
    if len(jobs) == 1:
        st.html(f'<div class="dropname">{escape(_title(chosen))}</div>', width="content")
        return
    titles = {job.id: _title(job) for job in jobs}
    state.show("target-drop", chosen.id)
    st.selectbox(
        "Compared images",
        list(titles),
        key="target-drop",
        format_func=lambda name: titles.get(name, name),
        on_change=lambda: state.put("drop", st.session_state["target-drop"]),
        width=340,
    )


def _title(job: Job) -> str:
    return f"{job.params.get('name') or job.params.get('source')}, {ago(job.created)}"


def _delete(job: Job) -> None:
    with st.popover("Delete", type="tertiary", icon=":material/delete:", key="target-delete"):
        st.html(
            '<p class="quiet">This comparison goes, with its copies of the images. Your own files stay.</p>'
        )
        st.button("Delete this comparison", key="target-delete-go", on_click=_deleted, args=(job,))


def _deleted(job: Job) -> None:
    try:
        delete_job(job)
    except BloodappError as error:
        st.toast(plain(str(error)), icon=":material/error:")
    else:
        state.put("drop", None)


def _notes(run: Run, found: Target) -> None:
    """How many images, and what the reader has to know of them before any figure."""
    content = found.content
    training = content["training"]
    said = [count(content["n"], "image")]
    if content["n"] < content["readable"]:
        said[0] = f"A sample of {content['n']:,} from {count(content['readable'], 'image')}"
    if training and training["n"]:
        of = f" of {training['of']:,}" if training["n"] < training["of"] else ""
        said.append(f"beside {training['n']:,}{of} that the run learned from")
    width, height = (round(side) for side in content["size"])
    taken = "" if width == height == run.size else f", made {run.size} × {run.size}"
    said.append(f"{width} × {height} pixels{taken}")
    st.html(f'<p class="quiet">{escape(" · ".join(said))}</p>')
    warnings = []
    if seen := target_words.seen_before(content):
        warnings.append(seen)
    if run.model_path.stat().st_mtime_ns != content["model"]:
        warnings.append("The run has another model since: compare the images again.")
    if warnings:
        st.html("".join(f'<p class="note">{escape(each)}</p>' for each in warnings))
    if content["unreadable"]:
        with st.expander(
            f"{count(len(content['unreadable']), 'image')} could not be read", icon=":material/broken_image:"
        ):
            rows = "".join(
                f"<li><b>{escape(each['name'])}</b> {escape(each['error'])}</li>"
                for each in content["unreadable"][:_SHOWN]
            )
            st.html(f'<ul class="unread">{rows}</ul>')
            if len(content["unreadable"]) > _SHOWN:
                names = "\r\n".join(f"{each['name']}\t{each['error']}" for each in content["unreadable"])
                st.download_button(
                    f"All {len(content['unreadable']):,} names",
                    names,
                    "not-read.txt",
                    "text/plain",
                    key="target-unread",
                    on_click="ignore",
                )
