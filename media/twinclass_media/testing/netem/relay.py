"""A relay: a network between real peers and a server, UDP and TCP (shell)."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass

from twinclass_media.testing.netem.addresses import Address
from twinclass_media.testing.netem.network import Network
from twinclass_media.testing.netem.profile import Profile, load_profile
from twinclass_media.testing.netem.record import LinkStatistics
from twinclass_media.testing.netem.tcp import TcpRelay
from twinclass_media.testing.netem.udp import UdpRelay

#: Seen twice in some hundred starts; sixteen in turn are a machine without free ports.
NUMBERS_TRIED = 16


@dataclass(frozen=True, slots=True)
class RelayStatistics:
    """What went through, and what the relay itself could not pass on.

    Attributes:
        rebindings: how often everybody's address was changed.
        drops: by cause: ``kernel`` and ``refused`` by the machine, ``clients`` and
            ``connections`` beyond their bounds, ``udp_blocked`` by the profile.
    """

    udp_clients: int
    tcp_connections: int
    rebindings: int
    drops: dict[str, int]
    links: dict[str, LinkStatistics]


class Relay:
    """Listens on either or both, forwards to one address. Owns all sockets and timers."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        profile: Profile,
        seed: int,
        target: Address,
        udp: Address | None,
        tcp: Address | None,
    ) -> None:
        """Binds. Port 0 lets the kernel choose; if both are 0 the two get the same number.

        Raises:
            OSError: an address is taken or not ours.
        """
        self._network = Network(loop, profile, seed)
        self._rebindings = 0
        # A number that is free for UDP is taken for TCP now and then.
        tries = NUMBERS_TRIED if udp and tcp and udp.port == tcp.port == 0 else 1
        for tried in range(1, tries + 1):
            try:
                self.udp, self.tcp = self._bound(loop, target, udp, tcp)
                break
            except OSError:
                if tried == tries:
                    raise

    def _bound(
        self,
        loop: asyncio.AbstractEventLoop,
        target: Address,
        udp: Address | None,
        tcp: Address | None,
    ) -> tuple[UdpRelay | None, TcpRelay | None]:
        first = UdpRelay(loop, udp, target, self._network) if udp else None
        if tcp is None:
            return first, None
        if first and udp and udp.port == tcp.port == 0:
            tcp = Address(tcp.host, first.address.port)
        try:
            return first, TcpRelay(loop, tcp, target, self._network)
        except OSError:
            if first:
                first.close()
            raise

    def rebind(self) -> None:
        """Every client has another address from now on; TCP connections end."""
        self._rebindings += 1
        if self.udp:
            self.udp.rebind()
        if self.tcp:
            self.tcp.rebind()

    def set_profile(self, name: str) -> None:
        """The network is as another profile from now on.

        Raises:
            ProfileError: there is none of that name, or it cannot be used.
        """
        self._network.set_profile(load_profile(name))

    def set_blackhole(self, is_dark: bool) -> None:
        """Nothing passes, or it does again."""
        self._network.set_blackhole(is_dark)

    def statistics(self) -> RelayStatistics:
        """Returns counters since the start."""
        drops: Counter[str] = Counter()
        for part in (self.udp, self.tcp):
            if part:
                drops.update(part.drops)
        return RelayStatistics(
            udp_clients=self.udp.clients if self.udp else 0,
            tcp_connections=self.tcp.connections if self.tcp else 0,
            rebindings=self._rebindings,
            drops=dict(drops),
            links=self._network.statistics(),
        )

    def close(self) -> None:
        """Closes all sockets and timers; what is on the way is dropped."""
        if self.udp:
            self.udp.close()
        if self.tcp:
            self.tcp.close()
        self._network.close()
