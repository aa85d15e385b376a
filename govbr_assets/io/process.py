"""What an import of the package does to the process, before Arrow and the Hub's client are imported."""

import os

from govbr_assets.io import environment

_DEFAULTS = {
    # Arrow's own pool would keep 10 MB of a day that is gone, and `pa.set_memory_pool` does not reach the Parquet
    # writer.
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    # The Hub's client would have the whole of a 300 MB file in memory: what waits for the network, and once more what
    # it compresses in vain, since Parquet is compressed.
    "HF_XET_FIXED_UPLOAD_CONCURRENCY": "1",
    "HF_XET_DATA_INGESTION_BLOCK_SIZE": "1mb",
    "HF_XET_XORB_COMPRESSION_POLICY": "none",
}
"""Variables that these libraries read once, with the values that they get unless somebody has set others."""


def prepare_process() -> None:
    """Set what libraries read only once, and limit the memory that malloc keeps.

    Raises:
        BeginningError: a variable that others have set keeps the Hub's client from being imported.
    """
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    environment.prepare()
    from govbr_assets.io.memory import limit_heap  # not above: it imports Arrow

    limit_heap()
