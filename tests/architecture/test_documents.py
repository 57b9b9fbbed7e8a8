"""Documents name settings, metrics, files and flags that exist."""

from __future__ import annotations

import dataclasses
import re
import subprocess
from pathlib import Path

import pytest

from twinclass_config import Settings

REPOSITORY = Path(__file__).resolve().parents[2]
TRACKED = subprocess.run(
    ["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=True
).stdout.split("\n")
DOCUMENTS = [REPOSITORY / name for name in TRACKED if name.endswith(".md")]
#: Made by ./run and ./test, or named as examples.
MADE = {"screenshots/", "test-results/figures.md"}


def name_of(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


def test_the_documents_of_the_project_are_there() -> None:
    wanted = {
        *("README.md", "README.zh-CN.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"),
        *("docs/operations.md", "signaling/PROTOCOL.md", "media/ASSUMPTIONS.md", "LICENSE"),
    }
    assert wanted <= set(TRACKED)


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text("utf-8")):
        if not target.startswith("http"):
            assert (document.parent / target).exists(), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_settings_exist(document: Path) -> None:
    settings = Settings()
    for section, key in re.findall(r"TWINCLASS_([A-Z]+)__([A-Z_]+)", document.read_text("utf-8")):
        if (section, key) == ("SECTION", "KEY"):
            continue
        values = getattr(settings, section.lower())
        assert key.lower() in {item.name for item in dataclasses.fields(values)}, (section, key)


def test_metrics_exist() -> None:
    code = (REPOSITORY / "server" / "twinclass_server" / "metrics.py").read_text("utf-8")
    known = {f"twinclass_media_{name}" for name in re.findall(r'_?\(?"([a-z_]+)", "[A-Z]', code)}
    known |= set(re.findall(r'"(twinclass_[a-z_]+)"', code))
    known |= {f"twinclass_media_{name}" for name in re.findall(r'_summed\("([a-z]+)"', code)}
    text = (REPOSITORY / "docs" / "operations.md").read_text("utf-8")
    told = {name.removesuffix("_total") for name in re.findall(r"`(twinclass_[a-z_]+)", text)}
    assert told - known == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_files_named_as_code_exist(document: Path) -> None:
    """``tests/…``, ``deploy/…`` and the like, from the top of the repository."""
    pattern = r"`((?:tests|deploy|docs|benchmarks|client-web|screenshots|test-results)/[\w./-]*)`"
    for target in re.findall(pattern, document.read_text("utf-8")):
        if target not in MADE and "node_modules" not in target:
            assert (REPOSITORY / target).exists(), target


def test_both_readmes_have_the_same_commands() -> None:
    commands = [
        re.findall(r"```sh\n(.*?)```", (REPOSITORY / name).read_text("utf-8"), re.S)
        for name in ("README.md", "README.zh-CN.md")
    ]
    ours, theirs = ([re.sub("<.*?>", "<>", block) for block in blocks] for blocks in commands)
    assert ours == theirs
