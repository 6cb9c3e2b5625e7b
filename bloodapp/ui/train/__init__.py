"""The body of the Train page, one module a view or a part of one; the form that the recipe's fields draw."""
