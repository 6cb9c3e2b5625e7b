"""Find what does not belong, and put it in an order worth deciding in.

    measures    light, contrast, entropy, sharpness and a small likeness of every image, in one pass
    detectors   pure functions from measures, hashes and labels to findings
    findings    the table of findings, its kinds, and its file
    scan        all detectors over a dataset, as a job
    queue       findings as cards: one card is one decision
"""
