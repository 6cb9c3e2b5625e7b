"""A local-first app for labelling, cleaning, training and judging blood-cell classifiers.

The rooms, in the order of the work (the pages and the command line have the same order):

    data       read any source, store it once, split it, remember every decision
    review     detectors find what does not belong; one ranked queue to decide
    augment    operations and pipelines as text; the realistic shift
    train      recipes, networks, weights; the fit, series of fits, what they cost, and the same again
    evaluate   metrics with intervals, mistakes, robustness, images from elsewhere, calibration, explanations,
               comparisons, reports
    classify   a finished run applied to new images; where its network looks, what it sees

Below them lie `jobs` (background work: a job is a folder) and `runs` (a run is a training job
and all it wrote, its calibration included); at the bottom `workspace`, `classes` and `errors`.
`charts` draws, `ui` is the only package that knows Streamlit, `cli` is its equal on the command line.
"""

__version__ = "0.1.0"
