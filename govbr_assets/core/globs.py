"""Matching of paths against the patterns of a dataset card, and formats by file name.

The rules are those of the library `datasets` and its file system for the Hub, and are tested against that library on
the same lists of paths.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from fnmatch import translate
from functools import lru_cache
from typing import NamedTuple

from govbr_assets.errors import ContractError

_MAGIC = re.compile(r"[*?[]")
_ELSEWHERE = re.compile(r"^/|://|::|(^|/)\.\.?(/|$)|//")
_NEVER_DATA = {
    "README.md",
    "config.json",
    "dataset_info.json",
    "dataset_infos.json",
    "dummy_data.zip",
    "dataset_dict.json",
}
"""File names that are selected only by a pattern ending with the name itself."""


class Format(NamedTuple):
    """A file format.

    Attributes:
        name: of the builder in `datasets`.
        separator: of columns, for delimited text.
    """

    name: str
    separator: str = ""


PARQUET, JSON, CSV = Format("parquet"), Format("json"), Format("csv")

_BY_NAME = {
    "json": "json jsonl ndjson",
    "parquet": "parquet geoparquet gpq",
    "arrow": "arrow",
    "text": "txt",
    "conll": "conll conllu",
    "webdataset": "tar",
    "xml": "xml",
    "hdf5": "hdf5 h5",
    "eval": "eval",
    "harbor": "toml md",
    "lance": "lance",
    "tsfile": "tsfile",
    "vortex": "vortex",
    "fasta": "fa fasta fna ffn faa frn afa",
    "genbank": "gb gbk genbank",
    "fastq": "fq fastq",
    "mmcif": "cif mmcif",
}
_FOLDERS_BY_NAME = {  # of these also in capitals
    "pdb": "pdb ent",
    "imagefolder": "blp bmp dib bufr cur pcx dcx dds ps eps fit fits fli flc ftc ftu gbr gif grib png apng jp2 j2k jpc"
    " jpf jpx j2c icns ico im iim tif tiff jfif jpe jpg jpeg msp pcd pxr pbm pgm ppm pnm psd bw rgb rgba sgi ras tga"
    " icb vda vst webp wmf emf xbm xpm",
    "audiofolder": "mpg aiff au avr caf flac htk svx mat4 mat5 mpc2k ogg paf pvf raw rf64 sd2 sds ircam voc w64 wav"
    " nist wavex wve xi mp3 opus 3gp 3g2 asf flv m4v webm f4v wmv wma ogm mxf nut",
    "videofolder": "mpeg avi mp4 mov mkv",
    "meshfolder": "glb gltf ply stl",
    "pdffolder": "pdf",
    "niftifolder": "nii",
}
_FORMATS = {"csv": CSV, "tsv": Format("csv", "\t")}
_FORMATS |= {extension: Format(name) for name, all_ in _BY_NAME.items() for extension in all_.split()}
_FORMATS |= {
    written: Format(name)
    for name, all_ in _FOLDERS_BY_NAME.items()
    for extension in all_.split()
    for written in (extension, extension.upper())
}
_OF_FOLDERS = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
_METADATA = {"latest_version_hint.json", "task.toml", "instruction.md", *_OF_FOLDERS}
_OF_LANCE = ("idx", "txn", "manifest")
_ALLOWED = {*_FORMATS, "zip", *_OF_LANCE}
_PREFERRED = ("csv", "json", "jsonl", "arrow", "vortex", "lance", "parquet")
"""Priority of extensions that the same number of files have, lowest first."""


def has_magic(pattern: str) -> bool:
    """Return whether a string has wildcards; one without is the path of a file, which must exist."""
    return _MAGIC.search(pattern) is not None


def is_elsewhere(pattern: str) -> bool:
    """Return whether a pattern can leave the repo: a URL, an absolute path, dots, an archive."""
    return _ELSEWHERE.search(pattern) is not None


def selected(pattern: str, paths: Iterable[str], *, of_any_name: bool = False) -> list[str]:
    """Return the data files that a pattern selects, sorted.

    Args:
        pattern: relative to the root of the repo, as in `data_files` of a dataset card.
        paths: all files of the repo.
        of_any_name: whether to include files with an unknown extension.

    Raises:
        ContractError: the pattern is invalid.
    """
    parts = pattern.strip("/").split("/")
    if any("**" in part and part != "**" for part in parts):
        raise ContractError(
            f"README.md on the Hub selects data_files by {pattern!r}, where `**` stands beside other characters, which"
            " no reader accepts: write `**` as a folder of its own."
        )
    never = _NEVER_DATA - {parts[-1]}
    special, hidden = _special(parts), _hidden(parts)
    return sorted(
        path
        for path in paths
        if _fits(parts, found := path.split("/"))
        and found[-1] not in never
        and (of_any_name or not _ALLOWED.isdisjoint(found[-1].split(".")[1:]))
        and _special(found) == special
        and _hidden(found) == hidden
    )


def common_format(paths: Iterable[str]) -> Format | None:
    """Return the format in which files are read together, by their most frequent extension; None if unknown."""
    names = [path.rpartition("/")[2] for path in paths]
    counts = Counter((extension.lower(), name in _METADATA) for name in names for extension in name.split(".")[1:])
    for extension, _ in sorted(counts, key=lambda key: _weight(*key, counts[key]), reverse=True):
        if extension in _FORMATS:
            return _FORMATS[extension]
        if extension == "zip":
            return None
    return None


def is_of(path: str, kind: Format) -> bool:
    """Return whether a file is read as a format, by any extension in its name or as a metadata file."""
    if kind.name in (*_FOLDERS_BY_NAME, "mmcif") and path.endswith(_OF_FOLDERS):
        return True
    extensions = path.rpartition("/")[2].split(".")[1:]
    if kind.name == "lance" and (not {*_OF_LANCE}.isdisjoint(extensions) or path.endswith("latest_version_hint.json")):
        return True
    return any(part == "zip" or (part in _FORMATS and _FORMATS[part].name == kind.name) for part in extensions)


def escaped(path: str) -> str:
    """Return the pattern that selects exactly one path."""
    return _MAGIC.sub(r"[\g<0>]", path)


def _weight(extension: str, metadata: bool, count: int) -> tuple[bool, int, int, str]:
    preferred = _PREFERRED.index(extension) if extension in _PREFERRED else -1
    return not metadata, count, preferred, extension


def _fits(parts: Sequence[str], path: Sequence[str]) -> bool:
    """Return whether a path matches, part by part; `**` matches any number of folders, and at the end any files."""
    for number, part in enumerate(parts):
        if part == "**":
            rest = parts[number + 1 :]
            ends = range(number, len(path))
            return any(not rest or _fits(rest, path[start:]) for start in ends)
        if number >= len(path) or not _regex(part).match(path[number]):
            return False
    return len(parts) == len(path)


@lru_cache(maxsize=256)
def _regex(part: str) -> re.Pattern[str]:
    return re.compile(translate(part))


def _special(parts: Sequence[str]) -> int:
    """Return the number of folders such as `__pycache__`, which are selected only by name."""
    return sum(part.startswith("__") for part in parts[:-1])


def _hidden(parts: Sequence[str]) -> int:
    """Return the number of hidden files and folders, which are selected only by name."""
    return sum(part.startswith(".") and set(part) != {"."} for part in parts)
