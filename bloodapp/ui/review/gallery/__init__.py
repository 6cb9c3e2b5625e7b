"""The gallery of Review: many small pictures at once, looked at, selected and decided about by pointer or by keys.

view        the view: filters, the page of pictures, what came of the decisions
filters     what is on show, kept in the address
component   the part that runs in the browser: gallery.js, with its tiles.js, selection.js and dialogs.js
items       what the browser is told about the images of a page, and their pictures as one
look        one picture enlarged: what is known about it, and the images most like it
"""
