"""Standard output and error of a command: what they do not take ends nothing, and is known afterwards."""

import errno
from io import BufferedWriter, FileIO, TextIOWrapper
from typing import Any, TextIO


class Stream(FileIO):
    """A stream that raises nothing: nobody may read it any more, or its disk may be full.

    Args:
        number: of its file.

    Attributes:
        error: the first one; None if all was written.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number, "wb", closefd=False)
        self.error: OSError | None = None

    def write(self, data: Any, /) -> int:
        """Write some bytes, or note why not."""
        try:
            return super().write(data)
        except OSError as error:
            self.error = self.error or error
            return len(data)

    @property
    def problem(self) -> str:
        """What keeps it from being written, in a sentence; empty if nothing does, or if its reader has seen enough."""
        if self.error is None or self.error.errno == errno.EPIPE:
            return ""
        return f"Standard output cannot be written ({self.error.strerror}): write it to a file or a pipe that takes it."

    def text(self, like: TextIO) -> TextIOWrapper:
        """Return it for text, in another one's encoding; a sign that this lacks ends no command."""
        return TextIOWrapper(BufferedWriter(self), encoding=like.encoding, errors="replace", line_buffering=True)
