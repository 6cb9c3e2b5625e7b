"""Find what does not belong, and put it in an order worth deciding in.

findings    the table of findings, its kinds, and its file
thresholds  from which score on a finding counts
scan        all detectors over a dataset, as a job; `reading` is what they share of it

The detectors, pure functions:
measures    light, contrast, entropy, sharpness and colour of images; how alike two are
quality     from measures: dark, bright, blurred, side by side, little information, colour, size
copies      from hashes and thumbnails: exact and near copies, conflicting labels, leakage between parts
robust      what is usual whatever the faults, and scores from it
unusual     from thumbnails: far from all others in the principal components

With a network, `deep`:
features    what a run's network sees, computed once for a dataset
spoilt      pictures spoilt on purpose, to learn from
resemblance like which spoilt pictures a picture is, and how far from everything known
labels      doubtful labels

What people do with it:
queue       findings as cards: one card is one decision
keepers     which of a group of copies is kept; `plans` says what that does to many groups
groups      a group laid out to be compared; `differences` and `resaved` say what was done to a copy
plane       where images lie: by pixels, by what a network saw, neighbours together
browse      which images the gallery shows, in which order; `nearest` those most like one
around      looking by hand: runs at either end, what looks like a marked picture
history     the decisions as a person remembers them
planting    known faults in a copy of a dataset, as a job; `faults` spoils cells, `foreign` draws what is none
truth       which images are at fault, where that is known
scoreboard  precision, recall and what a review of so many images finds, where that is known

Labels for images that have none, and second opinions on those that have:
proposals   what a run says of all images, as a job; `asking` asks it block by block
labelling   the queue, the least certain first, and how far it is
label_table labels as a CSV that is filled in elsewhere and taken back
agreement   how far two readers agree beyond chance, and what they confuse
adjudication what readers disagree about, settled by a decision

What was decided lies with the data (`bloodapp.data.decisions`), because every room asks what remains.
"""
