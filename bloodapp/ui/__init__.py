"""What the pages are made of; the only package that imports Streamlit, besides app.py and pages/.

    frame        every page begins with `frame.page(…)`: menu, choosers, the line of steps
    state        the chosen dataset, run and filters, kept in the session and in the address
    steps        what state each step of the work is in, read from files
    thumbs       small pictures, fast
    background   the runner, the strip of running jobs, watching one job
"""
