"""A data file made anew: its old rows, less those that are deleted, with those that are inserted."""
