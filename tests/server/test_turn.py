"""The relay: its passwords, its configuration, and a real coturn that runs on both."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aioice.stun import TransactionFailed
from aioice.turn import TurnClientTcpProtocol

from hosting.coturn import Certificate, coturn
from hosting.page import Page, token
from hosting.process import twinclass
from hosting.running import running_server
from light.ports import free_port
from twinclass_config import load
from twinclass_config.problem import OperatorProblem
from twinclass_server.adapters.data_folder import DataFolder
from twinclass_server.turn import NO_RELAY, Turn, credential
from twinclass_server.turn_commands import relay_plan
from twinclass_server.turn_configuration import USER_QUOTA, RelayPlan, configuration
from twinclass_signaling.ids import SessionId
from twinclass_signaling.messages import RelayAsk, RelayServers
from twinclass_signaling.roles import Role

PORT = free_port(20)
SECRET = "示例-secret"
ALLOCATED = range(PORT + 2, PORT + 20)
URL = f"turns:127.0.0.1:{PORT}?transport=tcp"
TURN = Turn((URL,), SECRET)


def test_a_password_names_its_end_and_is_the_hmac_of_its_user_name() -> None:
    found = TURN.servers(SessionId("s-1"), 1_000.9)
    (server,) = found.servers
    assert (found.ttl_s, server.urls) == (300, (URL,))
    expiry, _, alias = server.username.partition(":")
    assert expiry == "1300"
    assert "s-1" not in alias
    assert server.credential == credential(SECRET, server.username)
    # printf 1300:x | openssl dgst -sha1 -hmac key -binary | base64
    assert credential("key", "1300:x") == "SNLs31D39NDO0Be3OpNAMKlmG3Y="


def test_one_session_has_one_name_at_the_relay_and_others_have_others() -> None:
    def name(session: str, now: float) -> str:
        return TURN.servers(SessionId(session), now).servers[0].username.partition(":")[2]

    assert name("s-1", 1.0) == name("s-1", 900.0) != name("s-2", 1.0)


def test_nobody_is_told_of_a_relay_that_is_not_there() -> None:
    assert Turn().servers(SessionId("s-1"), 1.0) == NO_RELAY


def test_a_public_relay_reaches_media_and_no_loopback() -> None:
    plan = RelayPlan(
        "0.0.0.0", 443, "203.0.113.7", ("203.0.113.7", "[2001:db8::7]"), "r", "c", "k", "s"
    )
    lines = configuration(plan).splitlines()
    assert [one for one in lines if "peer" in one and not one.startswith("#")] == [
        "denied-peer-ip=0.0.0.0-255.255.255.255",
        "denied-peer-ip=::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "allowed-peer-ip=2001:db8::7",
        "allowed-peer-ip=203.0.113.7",
        "no-multicast-peers",
    ]
    assert "secret" not in repr(RelayPlan("h", 1, "r", (), "r", "c", "k", "secret"))


def test_the_command_writes_it_for_the_owner_only(tmp_path: Path) -> None:
    settings = tmp_path / "twinclass.toml"
    settings.write_text(
        f'[turn]\nurls = ["{URL}"]\ntls_cert = "c.pem"\ntls_key = "k.pem"\n'
        '[media]\nannounce = ["203.0.113.7:7900"]\n'
    )
    output = tmp_path / "turnserver.conf"
    arguments = ("--config", str(settings), "--data", str(tmp_path / "data"))
    done = twinclass("turn-config", *arguments, "--output", str(output))
    assert done.returncode == 0, done.stderr
    assert output.stat().st_mode & 0o777 == 0o600
    secret = DataFolder(tmp_path / "data").turn_secret()
    text = output.read_text()
    assert f"static-auth-secret={secret}" in text
    assert f"tls-listening-port={PORT}" in text
    assert secret not in twinclass("check-config", *arguments).stdout


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(OperatorProblem, match=r"turn\.urls"):
        relay_plan(load({}), DataFolder(tmp_path))
    with pytest.raises(OperatorProblem, match=r"turn\.tls_cert"):
        relay_plan(load({"TWINCLASS_TURN__URLS": URL}), DataFolder(tmp_path))
    with pytest.raises(OperatorProblem, match=r"turn\.ttl_s"):
        load({"TWINCLASS_TURN__TTL_S": "301"})
    with pytest.raises(OperatorProblem, match=r"turn\.urls"):
        load({"TWINCLASS_TURN__URLS": "https://example.com"})


async def test_a_page_gets_a_password_when_it_asks(tmp_path: Path) -> None:
    environment = {"TWINCLASS_TURN__URLS": URL, "TWINCLASS_TURN__SECRET": SECRET}
    ports = free_port(10)
    async with running_server(tmp_path / "data", ports, environment) as server:
        await server.create_lesson()
        page, _ = await Page.enter(server.port, token(server.keys, Role.LEAD, "lead"))
        await page.send(RelayAsk())
        (relay,) = (await page.wait_for(RelayServers)).servers
        assert relay.credential == credential(SECRET, relay.username)
        assert 0 < int(relay.username.partition(":")[0]) - time.time() <= 300


# ---- a real coturn -------------------------------------------------------------------------


@pytest.fixture
async def relay(tmp_path: Path) -> AsyncIterator[ssl.SSLContext]:
    """A coturn whose only peer is 127.0.0.1; what trusts its certificate."""
    certificate = Certificate.made(tmp_path / "tls", "127.0.0.1")
    plan = RelayPlan(
        *("127.0.0.1", PORT, "127.0.0.1", ("127.0.0.1",), "twinclass"),
        *(str(certificate.certificate), str(certificate.key), SECRET),
        min_port=ALLOCATED[0],
        max_port=ALLOCATED[-1],
    )
    file = tmp_path / "turnserver.conf"
    file.write_text(configuration(plan), encoding="utf-8")
    async with coturn(tmp_path, file, "127.0.0.1", PORT) as log:
        assert "Bad configuration" not in log.read_text()
        yield ssl.create_default_context(cafile=str(certificate.certificate))


class Client:
    """One that asks the relay for an address."""

    def __init__(self, protocol: TurnClientTcpProtocol) -> None:
        self.protocol = protocol

    @classmethod
    async def connected(cls, tls: ssl.SSLContext | None, username: str, password: str) -> Client:
        loop = asyncio.get_running_loop()
        address = ("127.0.0.1", PORT)
        _, protocol = await loop.create_connection(
            lambda: TurnClientTcpProtocol(
                address, username, password, lifetime=600, channel_refresh_time=500
            ),
            *address,
            ssl=tls,
        )
        return cls(protocol)

    async def allocate(self) -> tuple[str, int]:
        async with asyncio.timeout(20):
            return await self.protocol.connect()

    async def reach(self, host: str) -> None:
        async with asyncio.timeout(20):
            await self.protocol.channel_bind(0x4000, (host, 9))

    async def close(self) -> None:
        if self.protocol.refresh_task is not None:
            self.protocol.refresh_task.cancel()
        self.protocol.transport.close()


def password(now: float | None = None, session: str = "s-1") -> tuple[str, str]:
    made = TURN.servers(SessionId(session), time.time() if now is None else now).servers[0]
    return made.username, made.credential


async def test_a_good_password_reaches_our_media_and_nothing_else(relay: ssl.SSLContext) -> None:
    client = await Client.connected(relay, *password())
    host, port = await client.allocate()
    assert (host, port in ALLOCATED) == ("127.0.0.1", True)
    for other in ("127.0.0.2", "0.0.0.0", "169.254.169.254", "10.0.0.1", "224.0.0.1", "8.8.8.8"):
        with pytest.raises(TransactionFailed) as refused:
            await client.reach(other)
        assert refused.value.response.attributes["ERROR-CODE"][0] == 403, other
    await client.reach("127.0.0.1")
    await client.close()


@pytest.mark.parametrize(
    "made",
    [
        pytest.param(lambda: password(time.time() - 301), id="expired"),
        pytest.param(lambda: (password()[0], "Zm9yZ2Vk"), id="forged"),
        pytest.param(
            lambda: (f"{int(time.time()) + 9999}:x", password()[1]), id="of another user name"
        ),
    ],
)
async def test_other_passwords_are_refused(relay: ssl.SSLContext, made: object) -> None:
    assert callable(made)
    client = await Client.connected(relay, *made())
    with pytest.raises(TransactionFailed) as refused:
        await client.allocate()
    assert refused.value.response.attributes["ERROR-CODE"][0] == 401
    await client.close()


async def test_a_user_has_so_many_allocations_and_no_more(relay: ssl.SSLContext) -> None:
    clients: list[Client] = []
    for _ in range(USER_QUOTA):
        clients.append(await Client.connected(relay, *password()))
        await clients[-1].allocate()
    late = await Client.connected(relay, *password())
    with pytest.raises(TransactionFailed) as refused:
        await late.allocate()
    assert refused.value.response.attributes["ERROR-CODE"][0] == 486
    other = await Client.connected(relay, *password(session="s-2"))
    await other.allocate()
    for client in (*clients, late, other):
        await client.close()


async def test_nothing_but_tls_is_spoken(relay: ssl.SSLContext) -> None:
    client = await Client.connected(None, *password())
    with pytest.raises((TransactionFailed, ConnectionError, TimeoutError)):
        async with asyncio.timeout(3):
            await client.protocol.connect()
    await client.close()
