"""Which line of which `.gitignore` names a path, for the sentence about it; what is left out decides the Hub."""

from collections.abc import Iterator, Mapping

from pathspec import GitIgnoreSpec

GITIGNORE = ".gitignore"


def gitignores_above(path: str) -> Iterator[str]:
    """Name the files that may ignore a path, the nearest first, such as `data/.gitignore` and `.gitignore`."""
    folder = path
    while folder:
        folder = folder.rpartition("/")[0]
        yield f"{folder}/{GITIGNORE}" if folder else GITIGNORE


def ignoring_line(path: str, texts: Mapping[str, str]) -> str:
    """Find the line that ignores a path.

    Args:
        path: in the repo.
        texts: of `.gitignore` files, by their path.

    Returns:
        Such as "line 2 of .gitignore (`*.parquet`)"; empty if no line does.
    """
    for file in gitignores_above(path):
        inside = path.removeprefix(file.removesuffix(GITIGNORE))
        lines = enumerate(texts.get(file, "").removeprefix("\ufeff").splitlines(), 1)
        said = {number: (line, _says(line, inside)) for number, line in lines}
        deciding = [(number, line, ignores) for number, (line, ignores) in said.items() if ignores is not None]
        if deciding:  # of the nearest file the last line that speaks of a path
            number, line, ignores = deciding[-1]
            return f"line {number} of {file} (`{line.strip()}`)" if ignores else ""
    return ""


def _says(line: str, path: str) -> bool | None:
    """Say whether a line ignores a path; False if it takes it back, None if it does not speak of it."""
    try:
        return GitIgnoreSpec.from_lines([line]).check_file(path).include
    except ValueError:  # a line that means nothing to git either
        return None
