"""Features of Dagster that it calls beta or preview, with a warning on every command for each use in a declaration.

The range of Dagster's versions in pyproject.toml is our answer to these warnings: they are not shown.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from dagster import BetaWarning, PreviewWarning


@contextmanager
def accepted_previews() -> Iterator[None]:
    """Declare assets and checks with such features: a backfill policy of assets, partitions of checks."""
    with warnings.catch_warnings():
        for category in (BetaWarning, PreviewWarning):
            warnings.simplefilter("ignore", category)
        yield
