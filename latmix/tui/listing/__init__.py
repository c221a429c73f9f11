"""The list of pictures: rows, order, filter, marks."""
