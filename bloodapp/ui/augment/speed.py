"""One quiet line: whether drawing keeps up with the network on this computer, or would starve its training."""

from html import escape

import streamlit as st

from bloodapp.augment.pipelines import Pipeline, parse
from bloodapp.augment.pipelines import text as pipeline_text
from bloodapp.data.dataset import Dataset
from bloodapp.jobs.job import ACTIVE, Job, list_jobs, submit
from bloodapp.train.recipes import DEFAULT, recipe_named
from bloodapp.train.speed import Speed, known
from bloodapp.ui import background
from bloodapp.ui.text import plain

KIND = "speed"


def draw(dataset: Dataset, pipeline: Pipeline) -> None:
    """Draw the line for the pipeline, what is being measured, or the button that measures."""
    if not pipeline.steps:
        return
    speed = known(pipeline, recipe_named(DEFAULT))
    job = _job(pipeline)
    with st.container(key="augment-speed"):
        if job is not None and (job.state() in ACTIVE or (speed is None and job.state() == "failed")):
            background.watch(job, key="augment-speed-job", dismiss=True)
            return
        with st.container(
            horizontal=True, vertical_alignment="center", gap="small", key="augment-speed-line"
        ):
            if speed is not None:
                st.html(f'<p class="speed">{_said(speed)}</p>')
            else:
                st.html(
                    '<p class="speed">How fast it draws, and whether training would wait, is not measured yet.</p>'
                )
            _button(dataset, pipeline, again=speed is not None)
        if speed is not None and speed.starves:
            st.warning(_advice(speed), icon=":material/hourglass_top:")


def _said(speed: Speed) -> str:
    said = f"Draws about <b>{speed.drawn:,.0f}</b> images/s; the network learns from <b>{speed.learned:,.0f}</b>: "
    where = escape(speed.device) + (", measured while it had other work" if speed.busy else "")
    if speed.starves:
        return said + f"{speed.together:,.0f} together. <span>{where}</span>"
    if speed.share >= 0.95:
        return said + f"training does not wait. <span>{where}</span>"
    return (
        said + f"training runs at {100 * speed.share:.0f} % of the network’s own speed. <span>{where}</span>"
    )


def _advice(speed: Speed) -> str:
    said = f"This would starve training: about {100 * speed.share:.0f} % of its speed."
    if speed.costliest:
        name = parse(speed.costliest).steps[0].name
        said += (
            f" What costs most: {name}, {1000 * speed.costs[speed.costliest]:.1f} ms an image. Put it into "
            f"a `sometimes`, give it less to do, or make copies once and train on those."
        )
    return plain(said).replace("\\`", "`")


def _button(dataset: Dataset, pipeline: Pipeline, *, again: bool) -> None:
    training = bool(background.active_jobs("train"))
    pressed = st.button(
        "Again" if again else "Measure on this computer",
        key="augment-measure",
        type="tertiary",
        icon=":material/speed:",
        disabled=training,
        help="A training is running: it would be measured too."
        if training
        else "Some 20 seconds in the background: the pipeline, the default recipe's network, and both together.",
    )
    if pressed:
        submit(
            KIND,
            {"dataset": dataset.name, "pipeline": pipeline_text(pipeline)},
            title="Measuring how fast it draws",
        )
        background.runner().wake()
        st.rerun()


def _job(pipeline: Pipeline) -> Job | None:
    """The last measuring of this pipeline."""
    text = pipeline_text(pipeline)
    return next((job for job in list_jobs() if job.kind == KIND and job.params.get("pipeline") == text), None)
