"""Who watches a command at work: the interface that `cli` implements with bars or lines."""

from typing import Protocol


class Watch(Protocol):
    """Is told how far a command is."""

    def begin(self, title: str) -> None:
        """Take note that a piece of work begins, and which."""
        ...

    def say(self, sentence: str) -> None:
        """Take a sentence on the piece of work under way."""
        ...

    def end(self, outcome: str) -> None:
        """Take note that it is over, and how."""
        ...
