"""What the pages are made of; the only package that imports Streamlit, besides app.py and pages/.

frame        every page begins with `frame.page(…)`: menu, choosers, the line of steps
state        the chosen dataset, run and filters, kept in the session and in the address
steps        what state each step of the work is in, read from files
imports      getting a dataset in, and the sample at the first start
background   the runner, the strip of running jobs, watching one job
thumbs       small pictures, fast
text         words for people: figures, times

The bodies of the pages are called like the pages: home, review, augment, train, evaluate, classify.
What a page consists of is called after it, one module a view or a part of one: evaluate_slices, evaluate_hold_cell. The
views of Evaluate and the questions that they answer are a table at the top of `evaluate`.
"""
