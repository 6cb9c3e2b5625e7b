"""Did it help? The same recipe and seed before and after the decisions."""

from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import Judged


def draw(dataset: Dataset, judged: Judged) -> None:
    """Draw this part of the page."""
    del dataset, judged
