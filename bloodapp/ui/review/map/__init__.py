"""The map of Review: every image as a point, drawn around, pointed at, opened.

component   the part that runs in the browser: map.js, with its points.js (drawing) and choose.js (which point is where)
colouring   what the points are coloured by

The view itself is `bloodapp.ui.review.plane`.
"""
