"""Looking around: both ends of the dataset, and everything that looks like a marked picture."""

from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import Judged


def draw(dataset: Dataset, judged: Judged) -> None:
    """Draw this part of the page."""
    del dataset, judged
