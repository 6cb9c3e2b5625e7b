"""The scoreboard: precision and recall of each detector where the truth is known."""

import pandas as pd

from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import Judged


def draw(dataset: Dataset, judged: Judged, findings: pd.DataFrame) -> None:
    """Draw this part of the page."""
    del dataset, judged, findings
