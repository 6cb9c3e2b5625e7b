"""Which images of a drop to label first: a contact sheet in that order, a table to take away, a dataset for Review."""

import streamlit as st

from bloodapp.charts.confusion import short_name
from bloodapp.data.dataset import free_name, list_datasets
from bloodapp.errors import BloodappError
from bloodapp.evaluate import target_words
from bloodapp.evaluate.target import Target
from bloodapp.evaluate.target_table import label_dataset, label_table
from bloodapp.jobs.job import Job
from bloodapp.ui import frame, state, thumbs
from bloodapp.ui.evaluate.reading import Reading
from bloodapp.ui.evaluate.target_answers import picture
from bloodapp.ui.text import count, percent
from bloodapp.workspace import name_from

_SHOWN = 60
_FIRST = 100
_MADE = "target_made"


def draw(reading: Reading, job: Job, found: Target) -> None:
    """Draw the first images in the order in which to label them, and the two ways to go on."""
    classes, order = reading.run.classes, found.arrays["order"]
    frame.section("Label these first", "unsure, far from what is labelled, and unlike each other")
    _ways(reading, job, found)
    best, sure = found.arrays["probabilities"].argmax(1), found.arrays["probabilities"].max(1)
    shown = order[:_SHOWN]
    thumbs.grid(
        [picture(job, int(row)) for row in shown],
        [
            f"{rank}. {100 * sure[row]:.0f} %\n{short_name(classes[best[row]])}"
            for rank, row in enumerate(shown, 1)
        ],
        colours=[classes[best[row]].colour for row in shown],
        hints=[
            f"{found.arrays['names'][row]}: taken for {classes[best[row]].title} with {percent(float(sure[row]))}"
            for row in shown
        ],
        width=84,
    )
    rest = f"The first {len(shown)} of {len(order):,}; the table has all. " if len(order) > len(shown) else ""
    learned = "" if target_words.few(found.content) else "the training images and from "
    st.html(
        f'<p class="quiet">{rest}Under each: its rank, how sure the run is, and of which class. '
        "Each next image has the largest product of how unsure the run is (entropy) and how far the image lies, in "
        f"what the network sees, from {learned}those before it (farthest first: Sener and Savarese, "
        "2018; weighted by doubt as in Ash et al., 2020).</p>"
    )


def _ways(reading: Reading, job: Job, found: Target) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="target-label"):
        st.download_button(
            "Names and ranks as CSV",
            lambda: label_table(reading.run.classes, found.arrays).to_csv(index=False, lineterminator="\r\n"),
            f"{name_from(str(found.content['source']))}-label-first.csv",
            "text/csv",
            icon=":material/download:",
            key="target-csv",
            on_click="ignore",
        )
        # Another key once a dataset was made: so the form closes, and what was made is seen.
        with st.popover(
            "Make a dataset of them",
            icon=":material/rule:",
            key=f"target-make-after-{state.get(_MADE) or ''}",
        ):
            _form(reading, job, found)
    made = str(state.get(_MADE) or "")
    if made in list_datasets():
        with st.container(horizontal=True, vertical_alignment="center", key="target-made"):
            st.html(
                f'<span class="quiet">The dataset “{made}” is there, without labels.</span>', width="content"
            )
            if st.button("Open it in Review", key="target-review", icon=":material/arrow_forward:"):
                state.choose_dataset(made)
                st.switch_page("pages/1_Review.py", query_params=state.address())


def _form(reading: Reading, job: Job, found: Target) -> None:
    number = st.number_input(
        "How many images", 1, len(found), min(_FIRST, len(found)), key=f"target-number-{job.id}"
    )
    name = st.text_input(
        "Name", free_name(name_from(f"{found.content['source']}-to-label")), key=f"target-name-{job.id}"
    )
    st.html(
        '<p class="quiet">They have no labels yet: give them on Review, or fill the column “label” of the CSV and take '
        "it with the command <code>decide NAME --from FILE --action relabel</code>.</p>"
    )
    if not st.button("Make the dataset", type="primary", key=f"target-make-{job.id}"):
        return
    try:
        dataset = label_dataset(
            name.strip(),
            reading.run.classes,
            found.images,
            found.arrays,
            int(number),
            {"run": reading.run.name, "of": str(found.content["source"])},
        )
    except BloodappError as error:
        frame.error(error)
        return
    state.put(_MADE, dataset.name)
    st.toast(f"“{dataset.name}” holds {count(len(dataset), 'image')}.", icon=":material/check:")
    st.rerun()
