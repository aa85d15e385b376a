"""What an import of the package does to the process, before Arrow and the Hub's client are imported, and meanwhile."""

import gc
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from govbr_assets.errors import BeginningError, GovbrAssetsError
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
    # Dagster would store each event of a range of days by itself: `defs.event_batch`.
    "DAGSTER_EVENT_BATCH_SIZE": "100",
}
"""Variables that these libraries read, with the values that they get unless somebody has set others."""


_STANDARD_ERROR = 2

_COMMANDS = ("govbr-assets", "-m")
"""How our own commands are named while the package is imported; others have imported their own by then."""


def prepare_process() -> None:
    """Set what libraries read only once, and limit the memory that malloc keeps.

    What keeps our own commands from being imported is a sentence, for nothing of them runs that could catch it.

    Raises:
        BeginningError: a variable that others have set keeps the Hub's client from being imported.
    """
    if Path(sys.argv[0] if sys.argv else "").name in _COMMANDS:
        sys.excepthook = _print_sentence
        _check_streams()
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    environment.prepare()
    from govbr_assets.io.memory import limit_heap  # not above: it imports Arrow

    limit_heap()


@contextmanager
def uncollected_imports() -> Iterator[None]:
    """Import within a block without garbage collection, and exclude what is imported by then from it for good.

    Modules stay until the process ends, Dagster's and ours are some 300,000 objects, and the collector would go
    through all of them several times in the run of a day: a sixth of its processor time.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if collects:
            gc.enable()


def _check_streams() -> None:
    """Keep the numbers of closed standard streams from files that are opened later, into which others would print.

    Raises:
        BeginningError: there is no standard output, for which commands do what they do.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) <= _STANDARD_ERROR:
        pass
    os.close(number)
    if sys.stderr is None:
        sys.stderr = open(_STANDARD_ERROR, "w")  # noqa: SIM115 - as long as the process
    if sys.stdout is None:
        raise BeginningError("Standard output is closed: let it go to a file, a pipe or /dev/null.")


def _print_sentence(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print one of our errors, or Ctrl-C, as commands do, and end the process; any other one with its stack."""
    if not isinstance(error, GovbrAssetsError | KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    sentence, code = (str(error), 2) if isinstance(error, GovbrAssetsError) else ("Interrupted.", 130)
    sys.stderr.write(f"error: {sentence}\n")
    if "--json" in sys.argv and sys.stdout:
        sys.stdout.write(f"{json.dumps({'error': sentence}, ensure_ascii=False, indent=2)}\n")
    raise SystemExit(code)
