"""Datasets: read any source once, store it, and remember every decision about it.

    sources     whatever can be imported, as a stream of records
    npz         how a .npz is read row by row
    medmnist    which set of MedMNIST a file is, and what its classes are called
    bloodmnist  the published BloodMNIST, downloaded
    folders     class folders, and what their names say
    archives    the same in a .zip, read in place
    tables      a CSV or Parquet file of paths and labels
    naming      which class a name or a number means
    records     one image on its way from a source, and the source
    images      one picture: decode it, make it square
    jpeg        plain JPEG files, decoded faster than Pillow does
    preparing   images read, made square and hashed, in threads and in order
    writing     images.npy while it grows
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
    exporting   what remains, for others: the course's or MedMNIST's format, folders, .zip, table
    adding      datasets put together as a new one
    sample      the drawn sample with a known truth

Everything here works on files and arrays; nothing needs Streamlit or TensorFlow.
"""
