"""Train: one button to start, a live view to follow, the list of runs to come back to."""

from bloodapp.ui import frame
from bloodapp.ui.train import page

here = frame.page("Train", intro="Pick a recipe and start. The training goes on when you close this page.")
page.draw(here)
