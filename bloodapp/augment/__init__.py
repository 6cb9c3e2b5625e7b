"""Augmentation as text: operations declared once, composed to pipelines, drawn by the layers that train.

`operations` and `pipelines` are declarations without TensorFlow; `layers` builds them;
`preview` shows them; `corruptions` is the realistic shift that judges a model (NumPy and Pillow only).
"""
