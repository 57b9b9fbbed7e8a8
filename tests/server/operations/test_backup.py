"""Backup while a server runs, restore, and a server that starts with the same; hostile archives."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import hashlib
import io
import json
import os
import shutil
import stat
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import httpx
import msgspec
import pytest

from hosting.page import Page, close_pages, token
from hosting.process import environment, server_process
from hosting.running import running_server
from light.ports import free_port
from server.roster.databases import postgres
from server.roster.desk import Client, link_token, pdf, staff_token, upload
from twinclass_server.adapters.data_folder import DataFolder
from twinclass_server.cli import main
from twinclass_server.operations.backup import manifest as m
from twinclass_server.operations.backup.archive import read_archive
from twinclass_server.operations.backup.manifest import BackupProblem, Entry, Manifest
from twinclass_server.roster.csv_bundle import SAMPLE, from_folder
from twinclass_server.roster.csv_import import import_bundle
from twinclass_server.roster.database import Database
from twinclass_signaling.messages import CallOn, OpenLesson
from twinclass_signaling.roles import Role

__all__ = ["postgres"]

PORTS = free_port(8)


class Done(NamedTuple):
    """What a command said."""

    returncode: int
    stdout: str
    stderr: str


def run(*arguments: str) -> Done:
    """A command in this process: starting Python a hundred times takes minutes."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(arguments)
    return Done(status, out.getvalue(), err.getvalue())


async def beside(*arguments: str) -> Done:
    """The same in a process of its own, while a server runs in this one."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "twinclass_server.cli", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(),
    )
    out, err = await process.communicate()
    return Done(process.returncode or 0, out.decode(), err.decode())


async def test_a_server_s_backup_brings_back_lessons_links_and_slides(tmp_path: Path) -> None:
    target = tmp_path / "school.tar.gz"
    demo = {"TWINCLASS_DEMO__ENABLED": "yes"}
    async with running_server(tmp_path / "d", PORTS, demo) as server:
        staff = Client(server, staff_token(server))
        planned = await staff.plan()
        sheet = await staff.sheet(planned)
        lead_link = next(link for link in sheet["links"] if link["role"] == "lead")
        brought = await upload(staff.http, planned, staff_token(server), pdf())
        assert brought.status_code == 201
        await server.create_lesson()
        lead, _ = await Page.enter(server.port, token(server.keys, Role.LEAD, "lead"))
        await Page.enter(server.port, token(server.keys, Role.ROOM, "room-1"))
        await lead.command(OpenLesson())
        await lead.command(CallOn("room-1"))
        before = server.lessons_host().state
        (server.folder.recordings / "algebra-1").mkdir(parents=True)
        (server.folder.recordings / "algebra-1" / "0001.mp4").write_bytes(b"x" * 5000)

        done = await beside("backup", str(target), "--data", str(server.folder.path))
        assert done.returncode == 0, done.stderr
        assert "--recordings" in done.stdout
        assert stat.S_IMODE(target.stat().st_mode) == 0o600
        # What happens after the backup is not in it.
        await lead.command(CallOn("room-2"))
        await staff.http.aclose()
        await close_pages()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d", "school.tar.gz"]
    checked = await beside("backup", "--check", str(target))
    assert checked.returncode == 0, checked.stderr

    fresh = tmp_path / "fresh"
    done = await beside("restore", str(target), "--data", str(fresh))
    assert done.returncode == 0, done.stderr
    assert {stat.S_IMODE(p.stat().st_mode) for p in fresh.rglob("*") if p.is_file()} == {0o600}
    assert not (fresh / "recordings").exists()
    async with running_server(fresh, PORTS, demo) as server:
        staff = Client(server, staff_token(server))
        again = await staff.sheet(planned)
        assert again["title"] == sheet["title"]
        # The very same links: the keys have come back too.
        urls = {link["id"]: link["url"] for link in again["links"]}
        assert urls[lead_link["id"]] == lead_link["url"]
        slides = await staff.get(f"/api/lessons/{planned}/slides")
        assert slides["slides"][0]["sha256"] == brought.json()["sha256"]
        sha256 = slides["slides"][0]["sha256"]
        key = {"Authorization": f"Bearer {link_token(again, 'lead')}"}
        document = await staff.http.get(f"/api/slides/{sha256}", headers=key)
        assert document.status_code == 200
        assert document.content.startswith(b"%PDF")
        lead, welcome = await Page.enter(server.port, token(server.keys, Role.LEAD, "lead"))
        assert welcome.lesson.phase == "live"
        assert [place.participant for place in welcome.lesson.stage] == ["room-1"]
        assert server.lessons_host().state.seq >= before.seq
        await lead.command(CallOn("room-1"))
        await staff.http.aclose()
        await close_pages()


async def test_a_killed_server_s_files_are_taken_as_they_are(tmp_path: Path) -> None:
    data, target = tmp_path / "d", tmp_path / "cold.tar"
    async with running_server(data, PORTS) as server:
        await server.create_lesson()
    (data / "recordings" / "a").mkdir(parents=True)
    (data / "recordings" / "a" / "0001.mp4").write_bytes(os.urandom(5000))
    done = await beside("backup", str(target), "--data", str(data), "--recordings")
    assert done.returncode == 0, done.stderr
    assert "redis files" in done.stdout
    done = await beside("restore", str(target), "--data", str(tmp_path / "fresh"))
    assert done.returncode == 0, done.stderr
    copied = (tmp_path / "fresh" / "recordings" / "a" / "0001.mp4").read_bytes()
    assert copied == (data / "recordings" / "a" / "0001.mp4").read_bytes()
    async with running_server(tmp_path / "fresh", PORTS) as server:
        async with httpx.AsyncClient(trust_env=False) as http:
            listed = (await http.get(f"{server.admin_url}/lessons")).json()["lessons"]
        assert [one["id"] for one in listed] == ["algebra"]


async def test_a_running_server_s_folder_is_never_restored_into(tmp_path: Path) -> None:
    target = tmp_path / "x.tar"
    async with server_process(
        tmp_path / "d", PORTS + 3, {"TWINCLASS_RECORDING__ENABLED": "false"}
    ) as server:
        data = str(server.folder.path)
        assert (await beside("backup", str(target), "--data", data)).returncode == 0
        refused = await beside("restore", str(target), "--data", data, "--force")
        assert refused.returncode == 2
        assert "in use by process" in refused.stderr
        async with httpx.AsyncClient(trust_env=False) as http:
            assert (await http.get(f"http://127.0.0.1:{server.port}/readyz")).status_code == 200


def some_data(path: Path) -> DataFolder:
    folder = DataFolder(path)
    folder.read_keys()
    folder.lessons.mkdir()
    (folder.lessons / "algebra-1.jsonl").write_text('{"seq": 1}\n' * 1000)
    database = Database("", folder.path)
    database.migrate()
    database.close()
    return folder


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A good backup."""
    folder = some_data(tmp_path / "d")
    target = tmp_path / "good.tar"
    done = run("backup", str(target), "--data", str(folder.path))
    assert done.returncode == 0, done.stderr
    return target


def test_what_is_there_is_moved_aside_and_only_when_asked(made: Path, tmp_path: Path) -> None:
    other = DataFolder(tmp_path / "other")
    kept = other.rotate_keys()
    (other.recordings / "old").mkdir(parents=True)
    refused = run("restore", str(made), "--data", str(other.path))
    assert refused.returncode == 1
    assert "data_folder_not_empty" in refused.stderr
    assert kept in (other.path / "token-keys.json").read_text()
    done = run("restore", str(made), "--data", str(other.path), "--force")
    assert done.returncode == 0, done.stderr
    assert kept not in (other.path / "token-keys.json").read_text()
    former = next(other.path.glob("before-restore-*"))
    assert kept in (former / "token-keys.json").read_text()
    assert (other.recordings / "old").is_dir()
    # What was moved aside is not in the next backup.
    second = run("backup", str(tmp_path / "second.tar"), "--data", str(other.path))
    assert second.returncode == 0
    names = [one.name for one in read_archive(tmp_path / "second.tar", lambda *_: None).entries]
    assert not [name for name in names if "before-restore" in name]


def test_recordings_in_a_folder_of_another_name_are_taken_when_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = some_data(tmp_path / "d")
    root = folder.path / "media"
    (root / "algebra-1").mkdir(parents=True)
    (root / "algebra-1" / "manifest.json").write_bytes(b"{}")
    monkeypatch.setenv("TWINCLASS_RECORDING__FOLDER", str(root))
    names: dict[str, list[str]] = {}
    for target, more in (("without.tar", ()), ("with.tar", ("--recordings",))):
        done = run("backup", str(tmp_path / target), "--data", str(folder.path), *more)
        assert done.returncode == 0, done.stderr
        told = read_archive(tmp_path / target, lambda *_: None)
        names[target] = [one.name for one in told.entries if "algebra-1/" in one.name]
        assert told.recordings_bytes == 2
    assert names == {"without.tar": [], "with.tar": ["recordings/algebra-1/manifest.json"]}
    done = run("restore", str(tmp_path / "without.tar"), "--data", str(folder.path), "--force")
    assert done.returncode == 0, done.stderr
    assert (root / "algebra-1" / "manifest.json").exists()


def test_a_backup_never_overwrites_and_leaves_nothing_half_made(made: Path, tmp_path: Path) -> None:
    data = str(tmp_path / "d")
    before = made.read_bytes()
    assert run("backup", str(made), "--data", data).returncode == 2
    assert made.read_bytes() == before
    assert run("backup", str(tmp_path / "x.zip"), "--data", data).returncode == 2
    assert run("backup", str(tmp_path / "d" / "x.tar"), "--data", data).returncode == 2
    assert run("backup", str(tmp_path / "y.tar"), "--data", str(tmp_path / "no")).returncode == 2
    broken = tmp_path / "broken"
    shutil.copytree(tmp_path / "d", broken)
    (broken / "school.sqlite3").write_bytes(b"no database at all" * 50)
    failed = run("backup", str(tmp_path / "z.tar"), "--data", str(broken))
    assert failed.returncode == 1
    assert "backup_database" in failed.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["broken", "d", "good.tar"]


def read(path: Path) -> Manifest:
    return read_archive(path, lambda *_: None)


def test_no_changed_byte_is_overlooked(made: Path, tmp_path: Path) -> None:
    data = bytearray(made.read_bytes())
    at = data.index(b'{"seq": 1}\n' * 3)
    data[at] ^= 1
    changed = tmp_path / "changed.tar"
    changed.write_bytes(data)
    with pytest.raises(BackupProblem, match="backup is damaged"):
        read(changed)
    fresh = tmp_path / "fresh"
    done = run("restore", str(changed), "--data", str(fresh))
    assert done.returncode == 1
    assert "backup_damaged" in done.stderr
    assert [path.name for path in fresh.iterdir()] == ["lock"]
    assert run("backup", "--check", str(changed)).returncode == 1


@pytest.mark.parametrize("packed", [False, True])
def test_a_cut_backup_is_damaged_wherever_it_is_cut(
    made: Path, tmp_path: Path, packed: bool
) -> None:
    data = made.read_bytes()
    if packed:
        data = gzip.compress(data)
    cut = tmp_path / "cut.tar"
    for share in (0.0, 0.1, 0.5, 0.9, 0.97):
        cut.write_bytes(data[: int(len(data) * share)])
        with pytest.raises(BackupProblem, match="backup is damaged"):
            read(cut)
    cut.write_bytes(data)
    assert read(cut).database == "sqlite"


Change = Callable[[tarfile.TarInfo], None]


def plain(_: tarfile.TarInfo) -> None:
    return None


def archive(path: Path, *members: tuple[str, bytes, Change], told: bool = True) -> Path:
    """An archive with these members, and a manifest that says all is well."""
    entries: list[Entry] = []
    with tarfile.open(path, "w") as tar:
        for name, content, change in members:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            change(member)
            tar.addfile(member, io.BytesIO(content))
            entries.append(Entry(name, len(content), hashlib.sha256(content).hexdigest()))
        made = Manifest(1, "0", "now", "none", "none", False, 0, tuple(entries))
        data = msgspec.json.encode(made)
        last = tarfile.TarInfo(m.MANIFEST)
        last.size = len(data)
        if told:
            tar.addfile(last, io.BytesIO(data))
    return path


def link_to(target: str, kind: bytes) -> Change:
    def change(member: tarfile.TarInfo) -> None:
        member.type, member.linkname, member.size = kind, target, 0

    return change


def of_type(kind: bytes) -> Change:
    def change(member: tarfile.TarInfo) -> None:
        member.type, member.size = kind, 0

    return change


HOSTILE: dict[str, list[tuple[str, bytes, Change]]] = {
    "up": [("data/../../evil", b"x", plain)],
    "absolute": [("/etc/evil", b"x", plain)],
    "elsewhere": [("etc/evil", b"x", plain)],
    "dot": [("data/./evil", b"x", plain)],
    "empty part": [("data//evil", b"x", plain)],
    "backslash": [("data/..\\evil", b"x", plain)],
    "control": [("data/a\nb", b"x", plain)],
    "long": [("data/" + "a" * 300, b"x", plain)],
    "symlink": [("data/link", b"", link_to("/etc/passwd", tarfile.SYMTYPE))],
    "hard link": [("data/link", b"", link_to("/etc/passwd", tarfile.LNKTYPE))],
    "through a link": [
        ("data/files", b"", link_to("/tmp", tarfile.SYMTYPE)),
        ("data/files/evil", b"x", plain),
    ],
    "device": [("data/null", b"", of_type(tarfile.CHRTYPE))],
    "pipe": [("data/pipe", b"", of_type(tarfile.FIFOTYPE))],
    "folder": [("data/folder", b"", of_type(tarfile.DIRTYPE))],
    "twice": [("data/a", b"x", plain), ("data/a", b"x", plain)],
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_archive_writes_nothing_anywhere(what: str, tmp_path: Path) -> None:
    hostile = archive(tmp_path / "hostile.tar", *HOSTILE[what])
    with pytest.raises(BackupProblem, match="backup is damaged"):
        read(hostile)
    done = run("restore", str(hostile), "--data", str(tmp_path / "fresh"), "--force")
    assert (done.returncode, "backup_damaged" in done.stderr) == (1, True)
    assert [path.name for path in (tmp_path / "fresh").iterdir()] == ["lock"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fresh", "hostile.tar"]


def test_other_files_are_no_backups(tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    contents = [b"", b"hello", os.urandom(4096), gzip.compress(b"hello"), b"\x1f\x8b" + b"\0" * 99]
    for content in contents:
        path.write_bytes(content)
        with pytest.raises(BackupProblem, match="backup is damaged"):
            read(path)
    archive(path, ("data/a", b"x", plain), told=False)
    with pytest.raises(BackupProblem, match="its end is missing"):
        read(path)


def test_headers_that_claim_to_be_huge_or_never_end_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    huge = tarfile.TarInfo("data/a")
    huge.type, huge.size = tarfile.XHDTYPE, 8 * 2**30
    path.write_bytes(huge.tobuf(tarfile.GNU_FORMAT) + b"\0" * 4096)
    with pytest.raises(BackupProblem, match="header is too large"):
        read(path)
    chain = tarfile.TarInfo("data/a")
    chain.type, chain.size = tarfile.XHDTYPE, 10
    path.write_bytes((chain.tobuf(tarfile.GNU_FORMAT) + b"9 a=b\n".ljust(512, b"\0")) * 5000)
    with pytest.raises(BackupProblem, match="backup is damaged"):
        read(path)


def test_a_backup_of_a_later_format_says_which_version_reads_it(tmp_path: Path) -> None:
    path = archive(tmp_path / "x.tar", ("data/a", b"x", plain))
    data = path.read_bytes().replace(b'"format":1', b'"format":9')
    path.write_bytes(data)
    with pytest.raises(BackupProblem, match="format 9") as found:
        read(path)
    assert found.value.code == "backup_format"


def test_a_disk_that_is_too_small_is_known_before_anything_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.fail("this test mounts a small disk and needs root")
    try:
        big = archive(tmp_path / "big.tar", ("data/a", os.urandom(2 * 2**20), plain))
        done = run("restore", str(big), "--data", str(folder))
        assert (done.returncode, "disk_full" in done.stderr) == (1, True)
        assert [path.name for path in folder.iterdir()] == ["lock"]
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_postgresql_is_dumped_and_put_back(
    tmp_path: Path, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = DataFolder(tmp_path / "d")
    monkeypatch.setenv("TWINCLASS_DATABASE__URL", postgres)
    database = Database(postgres, folder.path)
    database.migrate()
    import_bundle(database, from_folder(SAMPLE))
    with database.engine.connect() as connection:
        schools = connection.exec_driver_sql("SELECT name FROM school ORDER BY id").all()
    assert len(schools) > 2
    target = tmp_path / "pg.tar.gz"
    done = run("backup", str(target), "--data", str(folder.path))
    assert done.returncode == 0, done.stderr
    with database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE school SET name = 'x'")
    monkeypatch.delenv("TWINCLASS_DATABASE__URL")
    no_url = run("restore", str(target), "--data", str(tmp_path / "fresh"))
    monkeypatch.setenv("TWINCLASS_DATABASE__URL", postgres)
    assert (no_url.returncode, "backup_database" in no_url.stderr) == (1, True)
    refused = run("restore", str(target), "--data", str(tmp_path / "fresh"))
    assert refused.returncode == 1
    assert [path.name for path in (tmp_path / "fresh").iterdir()] == ["lock"]
    done = run("restore", str(target), "--data", str(tmp_path / "fresh"), "--force")
    assert done.returncode == 0, done.stderr
    with database.engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT name FROM school ORDER BY id").all()
    assert found == schools
    database.close()
    settings = tmp_path / "fresh" / "restored-settings" / "environment"
    assert "TWINCLASS_DATABASE__URL" in settings.read_text()
    monkeypatch.setenv("PATH", "/nonexistent")
    without = run("backup", str(tmp_path / "n.tar"), "--data", str(folder.path))
    assert "apt-get install postgresql-client" in without.stderr


def test_a_manifest_is_what_anybody_can_read(made: Path) -> None:
    with tarfile.open(made) as tar:
        file = tar.extractfile(m.MANIFEST)
        assert file is not None
        told = json.load(file)
        assert tar.getnames()[-1] == m.MANIFEST
    assert (told["format"], told["database"], told["redis"]) == (1, "sqlite", "none")
    names = {entry["name"] for entry in told["entries"]}
    assert {"data/token-keys.json", "data/school.sqlite3"} <= names
