"""Compiles the send loop into the wheel, where there is a compiler; without one it stays out."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).parent))

from twinclass_media.transport.native.compiling import LIBRARY, compile_library

_PLACE = "twinclass_media/transport/native"


class CompiledLoop(BuildHookInterface[Any]):
    """See ``tool.hatch.build.targets.wheel.hooks.custom``."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Adds the library; the wheel is then for this platform, and for any Python of it."""
        compiler = shutil.which(os.environ.get("CC", "cc"))
        if version == "editable" or compiler is None:
            return
        library = Path(tempfile.mkdtemp()) / LIBRARY.name
        compile_library(compiler, library)
        build_data["force_include"][str(library)] = f"{_PLACE}/{LIBRARY.name}"
        build_data["pure_python"] = False
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["tag"] = f"py3-none-{platform}"

    def finalize(
        self,
        version: str,  # noqa: ARG002
        build_data: dict[str, Any],
        artifact_path: str,  # noqa: ARG002
    ) -> None:
        """Removes what was compiled; it is in the wheel."""
        for made in build_data["force_include"]:
            shutil.rmtree(Path(made).parent)
