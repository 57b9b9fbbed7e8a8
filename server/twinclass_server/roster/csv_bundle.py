"""The files of one import: a zip, a folder, or a single CSV."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path, PurePosixPath

from twinclass_server.roster.csv_file import FILES, MAX_BYTES, CsvProblem, Kind

Bundle = dict[Kind, bytes]
#: Plainly invented schools, for the demo and as an example of the files.
SAMPLE = Path(__file__).resolve().parent / "sample"
#: Six files are read; a zip made on a Mac has as many hidden ones again.
_MAX_ENTRIES = 100


def _kind_of(name: str) -> Kind | None:
    path = PurePosixPath(name.replace("\\", "/"))
    if path.suffix.lower() != ".csv" or path.name.startswith("."):
        return None
    return FILES.get(path.stem.strip().lower())


def _unknown() -> CsvProblem:
    return CsvProblem(
        "no_files",
        "没有找到 学校.csv、班级.csv、人员.csv 等文件。",
        "No schools.csv, classes.csv, people.csv … found.",
    )


def _twice(name: str) -> CsvProblem:
    return CsvProblem("file_twice", "同一种文件有两个。", f"Two files of one kind: {name[:80]}")


def from_folder(folder: Path) -> Bundle:
    """Reads the known files of a folder.

    Raises:
        CsvProblem: none there, too large, or two of one kind.
    """
    found: Bundle = {}
    for path in sorted(folder.iterdir()):
        kind = _kind_of(path.name)
        if kind is None or not path.is_file():
            continue
        if kind in found:
            raise _twice(path.name)
        if path.stat().st_size > MAX_BYTES:
            raise CsvProblem("file_too_large", "文件超过 50 MB。", "A file is larger than 50 MB.")
        found[kind] = path.read_bytes()
    if not found:
        raise _unknown()
    return found


def from_upload(name: str, data: bytes) -> Bundle:
    """Reads an uploaded zip, or a CSV whose name says what it is.

    Raises:
        CsvProblem: as ``from_folder``, or not a zip, or names that lead out of it.
    """
    if len(data) > MAX_BYTES:
        raise CsvProblem("file_too_large", "文件超过 50 MB。", "The file is larger than 50 MB.")
    if not data.startswith(b"PK"):
        kind = _kind_of(name)
        if kind is None:
            raise _unknown()
        return {kind: data}
    try:
        return _from_zip(data)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise CsvProblem(
            "zip_broken", "压缩包已损坏或加了密码。", "The zip is damaged or encrypted."
        ) from error


def _from_zip(data: bytes) -> Bundle:
    found: Bundle = {}
    left = MAX_BYTES
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = archive.infolist()
        if len(entries) > _MAX_ENTRIES:
            raise CsvProblem("zip_too_many", "压缩包里文件太多。", "Too many files in the zip.")
        for entry in entries:
            name = _entry_name(entry)
            parts = PurePosixPath(name.replace("\\", "/"))
            # Nothing is written to disk; such a zip was still made to harm.
            if parts.is_absolute() or ".." in parts.parts or ":" in name:
                raise CsvProblem(
                    "zip_path", "压缩包里有非法路径。", "The zip has a name that leads out of it."
                )
            kind = _kind_of(name)
            if kind is None or entry.is_dir() or "__MACOSX" in parts.parts:
                continue
            if kind in found:
                raise _twice(name)
            with archive.open(entry) as file:
                # What the entry says of its size is not believed.
                content = file.read(left + 1)
            if len(content) > left:
                raise CsvProblem(
                    "file_too_large", "解压后超过 50 MB。", "More than 50 MB when unpacked."
                )
            left -= len(content)
            found[kind] = content
    if not found:
        raise _unknown()
    return found


def _entry_name(entry: zipfile.ZipInfo) -> str:
    """Chinese Windows writes names in GBK and does not say so."""
    if entry.flag_bits & 0x800:
        return entry.filename
    try:
        return entry.filename.encode("cp437").decode("gb18030")
    except UnicodeError:
        return entry.filename
