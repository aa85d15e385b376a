"""`govbr-assets`: commands for machines without a daemon. How they are called, and how their results are shown.

What they do belongs to `defs.in_process` and `operations`; everything else is done by Dagster's own command line.
"""
