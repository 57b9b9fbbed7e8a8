"""Which code a process runs.

Media workers and the recorder outlive the server that started them, and its updates; whoever comes
next can tell by it that they are of before.
"""

from __future__ import annotations

import contextlib
import hashlib
import sys
from pathlib import Path

_CODE = {".py", ".so"}


def release_of(*packages: Path) -> str:
    """Returns a digest of all code below these folders."""
    digest = hashlib.sha256()
    for package in packages:
        for path in sorted(package.rglob("*")):
            # Files come and go while somebody installs.
            with contextlib.suppress(OSError):
                if path.suffix in _CODE and path.is_file():
                    content = hashlib.sha256(path.read_bytes()).digest()
                    digest.update(f"{path.relative_to(package)}\0".encode() + content)
    return digest.hexdigest()[:16]


def _libraries() -> str:
    """Returns a digest of Python and of all that is installed: its update is one of ours.

    By names of folders, as ``importlib.metadata`` takes a third of a worker's start to be imported.
    """
    found = {path.name for entry in sys.path for path in Path(entry).glob("*.dist-info")}
    return hashlib.sha256("\0".join((sys.version, *sorted(found))).encode()).hexdigest()[:8]


#: Of this package and what it stands on, as it was when it was imported.
RELEASE = release_of(Path(__file__).parent) + _libraries()
