"""Datasets: read any source once, store it, and remember every decision about it.

    sources     a course .npz, a folder or .zip of class folders, or the drawn sample, as a stream of records
    images      one picture: decode it, make it square
    phash       perceptual hashes and how far apart they are
    importing   a source becomes a dataset, visible only when whole
    dataset     a dataset on disk, read-only
    decisions   keep, exclude, flag, relabel: an append-only log with undo
    split       train, validation and test, with look-alikes kept together
    export      what remains, in the course's format
    sample      the drawn sample with a known truth
"""
