"""What assets say about their work in Dagster: written and read in the same module."""
