"""Compiles the send loop. Needs the standard library only: it runs while a wheel is built, too."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("burst.c")
LIBRARY = Path(__file__).with_name("libburst.so")
DIGEST = hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:16]

_FLAGS = ("-std=c11", "-O2", "-fPIC", "-shared", "-Wall", "-Wextra", "-Werror")
_SANITIZE = ("-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined")


def compile_library(compiler: str, target: Path, sanitize: bool = False) -> None:
    """Compiles to ``target``, which appears only when it is whole.

    Raises:
        subprocess.CalledProcessError: the compiler refused; its words are in ``stderr``.
    """
    made = target.with_suffix(f".{os.getpid()}")
    flags = (*_FLAGS, *(_SANITIZE if sanitize else ()), f'-DTWINCLASS_DIGEST="{DIGEST}"')
    try:
        subprocess.run(  # noqa: S603 - fixed words and our own paths
            [compiler, *flags, str(SOURCE), "-o", str(made)],
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        )
        made.replace(target)
    finally:
        made.unlink(missing_ok=True)
