"""Label: one image at a time by keys; a second reader who sees no labels; how far readers agree.

view        the three parts and what the address carries
queue       the images without a label, the least certain first, and what the browser is told about each
beside      what stands beside it: progress, which run proposes, training on what is labelled
table       labels as a table to fill in elsewhere and take back
reader      drawing a sample and reading it blindly
agreement   two readers beside each other: figures, tables
settle      what they disagree about, one image at a time
windows     the stretch of a long order that the browser holds, and the pictures in it
component   the browser's part
"""
