"""The compiled send loop for its tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from twinclass_media.transport.native.compiling import LIBRARY, compile_library
from twinclass_media.transport.native.library import load


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> object:
    """Built here, so that no test depends on what somebody built before; or, as CONTRIBUTING.md
    says, the one with sanitizers."""
    given = os.environ.get("TWINCLASS_TEST_LIBRARY")
    path = Path(given or tmp_path_factory.mktemp("native") / LIBRARY.name)
    if given is None:
        compile_library("cc", path)
    found = load(path)
    assert found is not None
    return found
