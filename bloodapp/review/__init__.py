"""Find what does not belong, and put it in an order worth deciding in.

measures    light, contrast, entropy and sharpness of images; how alike two are
detectors   pure functions from measures, hashes and labels to findings
findings    the table of findings, its kinds, and its file
scan        all detectors over a dataset, as a job
queue       findings as cards: one card is one decision
keepers     which of a group of copies is kept
around      looking by hand: runs at either end, what looks like a marked picture
history     the decisions as a person remembers them
planting    known faults in a copy of a dataset, as a job; `faults` spoils cells, `foreign` draws what is none
truth       which images are at fault, where that is known
scoreboard  precision, recall and what a review of so many images finds, where that is known

What was decided lies with the data (`bloodapp.data.decisions`), because every room asks what remains.
"""
