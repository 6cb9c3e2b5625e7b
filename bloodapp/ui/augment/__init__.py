"""The body of the Augment page, one module a view or a part of one; the pipeline editor and its component."""
