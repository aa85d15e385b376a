"""SIGINT and SIGTERM: both end a command in the same way, and its exit code says which of them has come."""

import os
import signal
import sys
from types import TracebackType
from typing import Self

_ENDING = (signal.SIGINT, signal.SIGTERM)


class Signals:
    """Raises `KeyboardInterrupt` for both, and remembers them.

    While Dagster executes a run, it has handlers of its own, which tell nobody which signal has come, or that one has.
    Python notes each one in a pipe, whoever handles it.
    """

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        self._seen = 0

    def __enter__(self) -> Self:
        for end in (self._reader, self._writer):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        for each in _ENDING:  # also where a shell in the background has us ignore Ctrl-C
            signal.signal(each, signal.default_int_handler)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        signal.set_wakeup_fd(-1)
        self._note()  # the last one, before the pipe goes
        os.close(self._reader)
        os.close(self._writer)
        self._reader = -1

    @property
    def exit_code(self) -> int:
        """What shells report of a process that the last signal has ended: 130 or 143; 0 if none has come."""
        self._note()
        return 128 + self._seen if self._seen else 0

    def _note(self) -> None:
        """Remember the last signal that Python has noted."""
        try:
            noted = os.read(self._reader, 4096)
        except OSError:  # nothing is noted, or the pipe is gone
            noted = b""
        self._seen = next((each for each in reversed(noted) if each in _ENDING), self._seen)

    def unraisable(self, found: "sys.UnraisableHookArgs") -> None:
        """Say what went wrong where nobody can catch it, unless a signal has come: objects that it left half made."""
        if not self.exit_code:
            sys.__unraisablehook__(found)
