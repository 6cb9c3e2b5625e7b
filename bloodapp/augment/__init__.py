"""Augmentation as text: operations declared once, composed to pipelines, drawn by the layers that train.

Declarations, without TensorFlow: `operations`, `pipelines` (the text), `named` and `saved` (those with a name),
`editing`, `strengths`, `code` (the same as Keras code). Drawing, with TensorFlow: `layers` and `own` (the operations),
`keyed` and `parting` (how they draw), `drawing` (pipelines of them), behind `preview`. With NumPy alone: `corruptions`
(the benchmark's eleven) and `extra_corruptions` (four of our own), declared by `severities` and drawn with `blur` and
`deposits`; `stain` (`staining`: where a pipeline goes by it). `remedies` has an operation against each. `expand` writes
augmented copies as a dataset.
"""
