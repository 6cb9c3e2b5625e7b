"""Datasets: read any source once, store it, and remember every decision about it.

    sources     a course .npz, a folder or .zip of class folders, or the drawn sample, as a stream of records
    npz         how a .npz is read row by row
    records     one image on its way from a source
    images      one picture: decode it, make it square
    phash       perceptual hashes of pictures
    neighbours  hashes that differ in a few bits, and groups of look-alikes
    importing   a source becomes a dataset, visible only when whole
    dataset     a dataset on disk, read-only
    decisions   keep, exclude, flag, relabel: an append-only log with undo
    readings    random samples of labelled images, and what blind readers said of them
    counts      a share with its interval, agreement beyond chance
    ledger      the file the log and the readings lie in
    exchange    the log as a CSV that another copy of the images replays
    split       train, validation and test, with look-alikes kept together
    export      what remains, in the course's format
    sample      the drawn sample with a known truth

Everything here works on files and arrays; nothing needs Streamlit or TensorFlow.
"""
