"""Home: what is in the dataset, what state each step is in, the next thing to do."""

from bloodapp.ui.frame import page
from bloodapp.ui.home import home

home(page("Home", own_heading=True))
