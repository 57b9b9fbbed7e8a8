"""``twinclass doctor`` against real ports, certificates, limits, disks and a real server."""

from __future__ import annotations

import json
import os
import resource
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from redis.asyncio import Redis

from hosting.process import ServerProcess, environment, server_process
from light.ports import free_port
from server.roster.databases import postgres
from twinclass_media.transport.stun import parse_binding_request
from twinclass_server.adapters import lan
from twinclass_server.adapters.redis_child import RedisChild, find_executable
from twinclass_server.adapters.redis_connection import connect
from twinclass_server.doctor_commands import language_of, read_ticket
from twinclass_server.operations.checks import clock, disk, limits, media_path, pages, stores, tls
from twinclass_server.operations.checks.finding import Finding
from twinclass_server.operations.checks.ports import check_port
from twinclass_server.operations.checks.stun_client import ask, request
from twinclass_server.roster.database import Database

__all__ = ["postgres"]

PORTS = free_port(12)
NOW = datetime.now(UTC)


def states(findings: list[Finding]) -> dict[str, str]:
    return {one.check: one.state for one in findings}


def doctor(
    *arguments: str, data: Path, before: Callable[[], None] | None = None
) -> tuple[int, dict[str, str], str]:
    """Exit status, states by check, and what was printed."""
    done = subprocess.run(
        [sys.executable, "-m", "twinclass_server.cli", "doctor", "--json", *arguments]
        + (["--data", str(data)] if "--probe" not in arguments else []),
        capture_output=True,
        text=True,
        timeout=60,
        env=environment(),
        preexec_fn=before,
        check=False,
    )
    assert done.stderr == ""
    found = {one["check"]: one["state"] for one in json.loads(done.stdout)["findings"]}
    return done.returncode, found, done.stdout


def test_a_port_is_free_ours_or_a_stranger_s() -> None:
    port = PORTS
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):

        def look(is_ours: bool, kind: socket.SocketKind = kind) -> str:
            found = check_port("port", "127.0.0.1", port, kind, "--port", is_ours=is_ours)
            assert found is not None
            assert (found.todo.en != "") == (found.state != "ok")
            return found.state

        assert look(is_ours=False) == "ok"
        assert look(is_ours=True) == "problem"  # Our server runs, but not there.
        with socket.socket(socket.AF_INET, kind) as stranger:
            stranger.bind(("127.0.0.1", port))
            if kind is socket.SOCK_STREAM:
                stranger.listen()
            assert look(is_ours=False) == "problem"
            assert look(is_ours=True) == "ok"
    assert check_port("port", "192.0.2.1", port, socket.SOCK_STREAM, "--port", is_ours=True) is None


def test_certificates_are_looked_at_closely(tmp_path: Path) -> None:
    good, key = lan.ensure_certificate(tmp_path / "good", ["10.9.8.7"])
    old, old_key = lan.ensure_certificate(tmp_path / "old", [], NOW - timedelta(days=900))
    soon, soon_key = lan.ensure_certificate(tmp_path / "soon", [], NOW - timedelta(days=785))
    later, later_key = lan.ensure_certificate(tmp_path / "later", [], NOW + timedelta(days=9))

    def look(certificate: Path | str, key: Path | str, url: str = "") -> dict[str, str]:
        return states(tls.check_tls(str(certificate), str(key), url, False, NOW))

    assert look(good, key) == {"tls": "ok"}
    assert look(good, key, "https://10.9.8.7:8080") == {"tls": "ok"}
    assert look(good, key, "https://lesson.example") == {"tls_name": "problem"}
    assert look(good, old_key) == {"tls_key": "problem"}
    assert look(old, old_key) == {"tls_expiry": "problem"}
    assert look(soon, soon_key) == {"tls_expiry": "warning"}
    assert look(later, later_key) == {"tls_expiry": "problem"}
    assert look(tmp_path / "none.pem", key) == {"tls": "problem"}
    broken = tmp_path / "broken.pem"
    broken.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    assert look(broken, key) == {"tls": "problem"}
    assert look("", "") == {"tls": "problem"}
    assert look("", "", "https://proxy.example") == {"tls": "ok"}
    assert states(tls.check_tls("", "", "", True, NOW)) == {"tls": "ok"}


def test_too_few_open_files_are_a_problem_of_whoever_starts_the_server(tmp_path: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (300, 300))

    ports = ("--port", str(PORTS), "--admin-port", str(PORTS + 1), "--media-port", str(PORTS + 2))
    status, found, _ = doctor(*ports, data=tmp_path / "d", before=limit)
    assert (status, found["open_files"]) == (1, "problem")
    status, found, _ = doctor(*ports, data=tmp_path / "d")
    assert (status, found["open_files"]) == (0, "ok")
    # A server that runs has limits of its own.
    assert limits.check_open_files(10, os.getpid()).state == "ok"


def test_small_socket_buffers_are_named_with_the_line_to_type(tmp_path: Path) -> None:
    (tmp_path / "rmem_max").write_text("212992\n")
    (tmp_path / "wmem_max").write_text("4194304\n")
    found = limits.check_socket_buffers(tmp_path)
    assert states(found) == {"rmem_max": "warning", "wmem_max": "ok"}
    assert "sysctl -w net.core.rmem_max=4194304" in found[0].todo.en


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Path]:
    """A real disk of 4 MiB."""
    folder = tmp_path / "full"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        # Not allowed to mount: no file may grow so large, which the kernel refuses likewise.
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4 * 2**20, before[1]))
        yield folder
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        return
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_and_one_that_is_not_there_are_problems(full: Path, tmp_path: Path) -> None:
    found = disk.check_speed("disk_speed", full)
    assert found.state == "problem"
    assert list(full.iterdir()) == []
    assert disk.check_speed("disk_speed", tmp_path / "none").state == "problem"
    assert disk.check_space("disk", tmp_path / "none", records=True).state == "problem"
    if os.path.ismount(full):
        assert disk.check_space("disk", full, records=True).state == "problem"
    assert disk.check_speed("disk_speed", tmp_path).state in {"ok", "warning"}
    assert list(tmp_path.glob(".doctor*")) == []


@pytest.mark.parametrize(
    ("header", "state"),
    [(0, "ok"), (-2, "ok"), (40, "warning"), (-3600, "warning")],
)
def test_clocks_are_compared(header: int, state: str) -> None:
    date = (NOW + timedelta(seconds=header)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    found = clock.check_date(date, NOW, "server")
    assert found.state == state
    assert ("behind" in found.text.en) == (header < -3)
    assert clock.check_date("yesterday", NOW, "server").state == "warning"


def test_the_kernel_is_asked_whether_its_clock_is_kept() -> None:
    found = clock.check_synchronised()
    assert found is not None
    assert found.state in {"ok", "warning"}


def test_a_probe_s_answer_is_never_longer_than_its_request() -> None:
    message, _ = request("a" * 16, "b" * 32)
    parsed = parse_binding_request(message)
    assert parsed.verify("b" * 32)
    for source in (("192.0.2.1", 5), ("2001:db8::1", 5)):
        assert len(parsed.response(source, "b" * 32)) <= len(message)


async def test_redis_says_whether_it_keeps_what_it_is_told(tmp_path: Path) -> None:
    assert stores.check_redis_program().state == "ok"
    child = RedisChild(tmp_path / "redis")
    await child.start()
    redis: Redis = connect(child.url, 2.0)
    try:

        async def look() -> dict[str, str]:
            return states(await stores.check_redis(redis, is_ours=True))

        assert await look() == {"redis": "ok", "redis_persistence": "ok"}
        await redis.config_set("appendfsync", "everysec")
        assert (await look())["redis_persistence"] == "warning"
        await redis.config_set("appendfsync", "always")
        await redis.config_set("maxmemory", "50mb")
        await redis.config_set("maxmemory-policy", "allkeys-lru")
        assert (await look())["redis_persistence"] == "problem"
        await redis.config_set("appendonly", "no")
        assert (await look())["redis_persistence"] == "problem"
    finally:
        await redis.aclose()
        await child.stop()
    gone = connect(child.url, 0.5)
    assert states(await stores.check_redis(gone, is_ours=True)) == {"redis": "problem"}
    await gone.aclose()
    assert shutil.which(find_executable())


def test_a_database_is_told_new_behind_fine_damaged_or_away(tmp_path: Path, postgres: str) -> None:
    assert stores.check_database("", tmp_path).state == "ok"
    for url in ("", postgres):
        database = Database(url, tmp_path)
        if url:
            assert stores.check_database(url, tmp_path).state == "warning"
        database.migrate()
        database.close()
        assert stores.check_database(url, tmp_path).state == "ok"
    away = f"postgresql://tester@127.0.0.1:{PORTS}/none?connect_timeout=2"
    assert stores.check_database(away, tmp_path).state == "problem"
    (tmp_path / "school.sqlite3").write_bytes(b"not a database" * 100)
    assert stores.check_database("", tmp_path).state == "problem"


async def test_a_running_server_proves_that_datagrams_pass(tmp_path: Path) -> None:
    async with server_process(tmp_path / "data", PORTS + 4) as server:
        data = server.folder.path
        flags = flags_of(server)
        status, found, text = doctor(*flags, data=data)
        assert status == 0, text
        assert (found["udp_0"], found["tcp_0"], found["port"]) == ("ok", "ok", "ok")
        assert (found["redis"], found["redis_persistence"]) == ("ok", "ok")
        assert found["database"] == "ok"

        line = subprocess.run(
            [
                *(sys.executable, "-m", "twinclass_server.cli", "doctor", "--from", "127.0.0.1"),
                *(*flags, "--data", str(data), "--language", "en"),
            ],
            capture_output=True,
            text=True,
            env=environment(),
            check=True,
        ).stdout.splitlines()[-1]
        probe = line.split()[2:]
        assert probe[:2] == ["--probe", f"127.0.0.1:{server.port}"]
        status, found, text = doctor(*probe, data=data)
        assert status == 0, text
        assert (found["pages"], found["udp_0"], found["tcp_0"]) == ("ok", "ok", "ok")
        assert found["clock_difference"] == "ok"
        # The password alone opens the door, and only the newest one.
        ticket = read_ticket(probe[3])[0]
        assert ask("127.0.0.1", ticket.port, ticket.ufrag, "0" * 32) is None
        doctor(*flags, data=data)
        assert media_path.check_udp("127.0.0.1", ticket).state == "problem"
        status, found, _ = doctor(*probe[:2], data=data)
        assert (status, found["media"]) == (0, "warning")


def flags_of(server: ServerProcess) -> list[str]:
    pairs = zip(("--port", "--admin-port", "--media-port"), range(3), strict=True)
    return [part for flag, n in pairs for part in (flag, str(server.port + n))]


def test_from_outside_a_closed_port_and_a_half_ticket_are_told(tmp_path: Path) -> None:
    status, found, _ = doctor("--probe", f"127.0.0.1:{PORTS}", "--ticket", "7900:ab", data=tmp_path)
    assert (status, found) == (1, {"pages": "problem", "media": "problem"})
    closed = read_ticket(f"{PORTS}:abcd:efgh")[0]
    assert media_path.check_udp("127.0.0.1", closed).state == "problem"
    assert media_path.check_tcp("127.0.0.1", PORTS, "tcp_0").state == "problem"


async def test_a_self_made_certificate_is_a_warning_for_browsers(tmp_path: Path) -> None:
    certificate, key = lan.ensure_certificate(tmp_path / "tls", [])
    tls_settings = {
        "TWINCLASS_HTTP__TLS_CERT": str(certificate),
        "TWINCLASS_HTTP__TLS_KEY": str(key),
        "TWINCLASS_RECORDING__ENABLED": "false",
    }
    async with server_process(tmp_path / "data", PORTS + 8, tls_settings, scheme="https") as server:
        found = states(pages.check_pages("127.0.0.1", server.port, lambda: datetime.now(UTC)))
        assert found == {"pages": "ok", "pages_tls": "warning", "clock_difference": "ok"}


def test_the_language_is_that_of_the_terminal() -> None:
    assert [language_of(name) for name in ("zh_CN.UTF-8", "en_US", "", "C")] == [
        *("zh", "en", "en", "en")
    ]
