"""What the product costs, as ratios of one run on one machine: `python -m govbr_assets_tests.benchmarks [NAME[=ROWS]]`.

A benchmark prints figures and never fails for being slow; it fails when what it measures did not work. What must hold
on every machine is a test and does not belong here.
"""
