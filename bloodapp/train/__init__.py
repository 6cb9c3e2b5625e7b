"""Training: recipes declared once, the networks, the feed, the fit.

`recipes`, `launch` and `forecast` know no TensorFlow and serve pages and command line;
`models`, `feed`, `callback` and `fit` are imported in the child process that trains.
"""
