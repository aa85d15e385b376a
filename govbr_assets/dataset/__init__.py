"""A dataset at a revision, a small table format: what its files say, what readers need, and the one way to commit."""
