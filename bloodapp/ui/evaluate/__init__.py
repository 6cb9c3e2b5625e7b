"""The body of the Evaluate page, one module a view or a part of one; the views are a table at the top of `page`."""
