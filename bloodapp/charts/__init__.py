"""Plotly figures from plain arrays, for pages and reports alike; never Streamlit.

Every figure is transparent and leaves its text colour to the page's theme, so that it reads on
light and dark. Ids that a click must lead to are in `customdata`.
"""
