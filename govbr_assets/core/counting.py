"""Numbers of things in sentences."""


def count(number: int, noun: str) -> str:
    """Return a number with its noun, such as `1 day` and `2,818 days`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def differing(number: int, noun: str = "") -> str:
    """Return how many of something differ, such as `1 differs` and `2 days differ`."""
    counted = count(number, noun) if noun else f"{number:,}"
    return f"{counted} differ{'s' if number == 1 else ''}"
