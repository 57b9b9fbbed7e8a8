"""Settings of the server's own parts: key, unit, default and reason, in one place.

They stand here and not beside the server's code because imports run downwards only.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from twinclass_media.settings import MediaSettings
from twinclass_signaling.settings import LessonSettings


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """The public listener and the private one.

    Attributes:
        host: address of the public listener; loopback unless a school opens it.
        port: its port.
        admin_host: address of the private listener (metrics, lesson administration).
        admin_port: its port.
        tls_cert: PEM file with the certificate chain; with it HTTPS and WSS are spoken.
        tls_key: PEM file with its key.
        trusted_proxies: addresses whose X-Forwarded-For and -Proto are believed.
        public_url: what links begin with, when a proxy stands in front.
        cors_origins: origins that may use WHIP and WHEP; a studio's player is anywhere.
        max_connections: WebSockets of this process; above it new ones are refused.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    admin_host: str = "127.0.0.1"
    admin_port: int = 9090
    tls_cert: str = ""
    tls_key: str = ""
    trusted_proxies: tuple[str, ...] = ()
    public_url: str = ""
    cors_origins: tuple[str, ...] = ("*",)
    max_connections: int = 4000


@dataclass(frozen=True, slots=True)
class RedisSettings:
    """Where the event log lives.

    Attributes:
        url: a server of yours; empty: our own child in the data folder.
        replicas: acknowledge a command only when this many replicas have it (WAIT).
        timeout_s: a call that takes longer counts as Redis being down; an fsync of a busy
            disk takes well under a second.
    """

    url: str = field(default="", repr=False)  # It may hold a password.
    replicas: int = 0
    timeout_s: float = 2.0


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """Where schools, people and planned lessons are kept.

    Attributes:
        url: a PostgreSQL of yours (postgresql://…); empty: a SQLite file in the data folder.
    """

    url: str = field(default="", repr=False)  # It may hold a password.


@dataclass(frozen=True, slots=True)
class RecordingSettings:
    """The recorder, and what is kept of its work.

    Attributes:
        enabled: record lessons that are planned to be; off: no recorder is started.
        keep_days: media that nobody chose for the library is deleted after this long.
        jobs: transcodings and exports at a time; each takes a core for minutes.
        folder: where recordings are; empty: ``recordings`` in the data folder.
    """

    enabled: bool = True
    keep_days: int = 30
    jobs: int = 1
    folder: str = ""


@dataclass(frozen=True, slots=True)
class LibrarySettings:
    """How the library counts what was watched.

    Attributes:
        time_zone: where a day begins (IANA name); a class counts once a day.
        weight_classes: of adopting classes in the pay-by-effect sheet. The weights are published
            beside the sheet; only their proportion matters.
        weight_completion: of how much of it is watched.
        weight_reuse: of teachers who show it again a term later.
        weight_quiz_gain: of what pupils learned; not measured yet.
        weight_rating: of stars, once enough gave them.
    """

    time_zone: str = "Asia/Shanghai"
    weight_classes: float = 0.35
    weight_completion: float = 0.25
    weight_reuse: float = 0.15
    weight_quiz_gain: float = 0.15
    weight_rating: float = 0.1


@dataclass(frozen=True, slots=True)
class TurnSettings:
    """The relay (TURN, a coturn beside us) for schools that let nothing but TCP 443 pass; off until
    ``urls`` is set. The rest but for ``secret`` and ``ttl_s`` is for ``twinclass turn-config``.

    Attributes:
        urls: what pages are told, such as ``turns:turn.example.com:443?transport=tcp``.
        secret: shared with the relay; empty: one made in the data folder.
        ttl_s: a password is good for so long, at most 300: it is used within seconds.
        realm: names us in its questions.
        listen: the relay's address.
        relay_host: from which it sends to our media; empty: the media's own address.
        min_port: of the ports it sends from.
        max_port: of the same.
        tls_cert: PEM file with its certificate chain.
        tls_key: PEM file with its key.
    """

    urls: tuple[str, ...] = ()
    secret: str = field(default="", repr=False)
    ttl_s: int = 300
    realm: str = "twinclass"
    listen: str = "0.0.0.0"  # noqa: S104 - of a machine that is there to be reached
    relay_host: str = ""
    min_port: int = 49152
    max_port: int = 65535
    tls_cert: str = ""
    tls_key: str = ""


@dataclass(frozen=True, slots=True)
class LogSettings:
    """What is logged: level (debug, info, warning, error) and format (json, text)."""

    level: str = "info"
    format: str = "json"


@dataclass(frozen=True, slots=True)
class DemoSettings:
    """The demo lesson, off unless asked for: its links let anybody in.

    Attributes:
        enabled: open the lesson ``demo`` and show its links on the portal.
        rooms: partner classrooms with a link.
        homes: home learners with a link.
    """

    enabled: bool = False
    rooms: int = 3
    homes: int = 2


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of one server process; made once, never changed."""

    http: HttpSettings = field(default_factory=HttpSettings)
    media: MediaSettings = field(default_factory=MediaSettings)
    redis: RedisSettings = field(default_factory=RedisSettings)
    database: DatabaseSettings = field(default_factory=DatabaseSettings)
    lesson: LessonSettings = field(default_factory=LessonSettings)
    recording: RecordingSettings = field(default_factory=RecordingSettings)
    library: LibrarySettings = field(default_factory=LibrarySettings)
    turn: TurnSettings = field(default_factory=TurnSettings)
    log: LogSettings = field(default_factory=LogSettings)
    demo: DemoSettings = field(default_factory=DemoSettings)
