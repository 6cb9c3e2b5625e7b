"""A run is a training, at work or finished, and all it wrote: the folder is the model.

run            the folder and its files: create, list, open, delete
predictions    the table of probabilities that evaluation reads
calibration    temperature and bar for sets, fitted on val: what makes the probabilities mean what they say
compare        any number of runs side by side: what sets them apart, their curves, whether they saw the same images
origin         the dataset that a run learned from
unseen         which images runs have learned from, and which none of several has
readings       how often a test part was read, in words
"""
