"""Numbers of things in sentences."""


def count(number: int, noun: str) -> str:
    """Return a number with its noun, such as `1 day` and `2,818 days`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
