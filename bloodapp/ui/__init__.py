"""What the pages are made of; the only package that imports Streamlit, besides app.py and pages/.

frame        every page begins with `frame.page(…)`: menu, choosers, the line of steps
state        the chosen dataset, run and filters, kept in the session and in the address
steps        what state each step of the work is in, read from files
standing     how a dataset stands now, remembered until the next decision
dialogs      which dialog is open, until it is closed
imports      getting a dataset in, and the sample at the first start
background   the runner, the strip of running jobs, watching one job
thumbs       small pictures, fast
text         words for people: figures, times

home and classify are pages of one piece. The bodies of the others are folders called after their page, one module a
view or a part of one: review, augment, train, evaluate. Each begins at its `page`.
"""
