"""Plotly figures from plain arrays, for pages and reports alike; never Streamlit.

Every figure is transparent and leaves its text colour to the page's theme, so that it reads on
light and dark. Ids that a click must lead to are in `customdata`.

confusion, slices, bars       what is taken for what; kinds of images; counts and probabilities by class
robustness, target            the corruption suite as a heat map; two sets of images beside each other
belief                        reliability, coverage of sets, accuracy over rejection
overlay, plane                a map over its image; images as points
agreement, change             runs on the same images; what changed between two
curves, rates                 learning curves; learning rates
gap, scoreboard, safety       Home's gap chart; Review's detectors; Augment's safety meter
style                         the common look
"""
