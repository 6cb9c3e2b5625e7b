"""The stains that a pipeline goes by, estimated only where one of its operations needs them."""

from bloodapp.augment.pipelines import Pipeline, uses
from bloodapp.augment.stain import Vectors, for_dataset
from bloodapp.data.dataset import Dataset


def for_pipeline(dataset: Dataset, *pipelines: Pipeline) -> Vectors | None:
    """What `stain.for_dataset` finds, float64 (2, 3), where one of the pipelines goes by it; None where none does."""
    return for_dataset(dataset) if any(uses(one, "stain") for one in pipelines) else None
