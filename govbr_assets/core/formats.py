"""Formats of files by their names.

The rules are those of the library `datasets`, and are tested against it on the same lists of paths.
"""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple


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


def has_known_extension(name: str) -> bool:
    """Return whether any extension of a file name is of data that `datasets` can read."""
    return not _ALLOWED.isdisjoint(name.split(".")[1:])


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


def _weight(extension: str, metadata: bool, count: int) -> tuple[bool, int, int, str]:
    preferred = _PREFERRED.index(extension) if extension in _PREFERRED else -1
    return not metadata, count, preferred, extension
