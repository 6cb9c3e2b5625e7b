"""Taking a pipeline elsewhere: its text, the command line that trains with it, and Keras code."""

import shlex

import streamlit as st

from bloodapp.augment.pipelines import Pipeline
from bloodapp.augment.pipelines import text as pipeline_text
from bloodapp.augment.staining import for_pipeline
from bloodapp.data.dataset import Dataset

_FORMS = ("Text", "Command line", "Keras code")


def draw(dataset: Dataset, pipeline: Pipeline) -> None:
    """Draw the button "Copy as" and the three forms under it, each with a button that copies it."""
    with st.popover(
        "Copy as", key="augment-copy", type="tertiary", icon=":material/content_copy:", on_change="rerun"
    ) as box:
        if not box.open:
            return
        form = st.segmented_control(
            "Copy as",
            _FORMS,
            key="augment-form",
            default=_FORMS[0],
            required=True,
            label_visibility="collapsed",
        )
        source = pipeline_text(pipeline)
        if form == "Keras code":
            from bloodapp.augment.code import keras_code

            st.code(
                keras_code(pipeline, stains=for_pipeline(dataset, pipeline)),
                language="python",
                height=380,
            )
            st.html(
                '<p class="quiet">A script of its own: <code>augment(images, labels)</code> for a batch of '
                "<code>tf.data</code>.</p>"
            )
        elif form == "Command line":
            st.code(command_line(dataset.name, source), language="bash", wrap_lines=True)
            st.html('<p class="quiet">Trains on this dataset with this pipeline.</p>')
        else:
            st.code(source, language=None, wrap_lines=True)
            st.html('<p class="quiet">What the address, the command line and every run carry.</p>')


def command_line(dataset: str, source: str) -> str:
    """The command that trains on a dataset with a pipeline's text, for a POSIX shell."""
    return f'python -m bloodapp train {shlex.quote(dataset)} --set pipeline="{source}"'
