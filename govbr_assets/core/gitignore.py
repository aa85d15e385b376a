"""The line of a `.gitignore` that ignores a path, for error messages; the Hub decides what it ignores."""

from collections.abc import Iterator, Mapping

from pathspec import GitIgnoreSpec

GITIGNORE = ".gitignore"


def gitignores_above(path: str) -> Iterator[str]:
    """Yield the files that may ignore a path, nearest first, such as `data/.gitignore` and `.gitignore`."""
    folder = path
    while folder:
        folder = folder.rpartition("/")[0]
        yield f"{folder}/{GITIGNORE}" if folder else GITIGNORE


def ignoring_line(path: str, texts: Mapping[str, str]) -> str:
    """Return the line that ignores a path.

    Args:
        path: in the repo.
        texts: contents of the `.gitignore` files, by path.

    Returns:
        For example "line 2 of .gitignore (`*.parquet`)"; empty if no line does.
    """
    for file in gitignores_above(path):
        inside = path.removeprefix(file.removesuffix(GITIGNORE))
        lines = enumerate(texts.get(file, "").removeprefix("\ufeff").splitlines(), 1)
        matches = [(number, line, _ignores(line, inside)) for number, line in lines]
        if matching := [match for match in matches if match[2] is not None]:
            number, line, ignores = matching[-1]  # the last matching line of the nearest file decides
            return f"line {number} of {file} (`{line.strip()}`)" if ignores else ""
    return ""


def _ignores(line: str, path: str) -> bool | None:
    """Return whether a line ignores a path: False if it is a negation that matches, None if it does not match."""
    try:
        return GitIgnoreSpec.from_lines([line]).check_file(path).include
    except ValueError:  # git ignores an invalid line too
        return None
