"""What the desk keeps, behind its real routes, with the real core as host and a clock to set."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image
from starlette.applications import Starlette

from hosting.desk import OPENS, Evenings, evening
from twinclass_server.desk import references
from twinclass_server.desk.content.desk_content import DeskContent
from twinclass_server.desk.content.media import Author
from twinclass_server.http.desk_content import DeskContentRoutes, DeskParts
from twinclass_server.roster.database import Database
from twinclass_signaling.desk.commands import Actor
from twinclass_signaling.desk.plan import Desk, QuestionId
from twinclass_signaling.desk.visibility import may_see_question
from twinclass_signaling.ids import PersonId
from twinclass_signaling.roles import Role
from twinclass_signaling.tokens import DeskClaims, SigningKey, TokenKeys

DESK = "grade-7"
EVENING = "2026-11-23"


class CoreHost:
    """Fills ``DeskPort`` with the real core; ``url`` is what was recorded of every session."""

    def __init__(self, evenings: Evenings) -> None:
        self.evenings = evenings
        self.url: str | None = "/recorded"
        #: As links call people.
        self.names: dict[str, str] = {}

    def evening(self, desk: str) -> str:
        return EVENING

    def plan(self, desk: str) -> Desk | None:
        return self.evenings.state.plan if desk == DESK else None

    def may_see(self, desk: str, claims: DeskClaims, question: int) -> bool:
        found = self.evenings.state.questions.get(QuestionId(question))
        actor = Actor(PersonId(claims.sub), claims.role)
        return found is not None and may_see_question(self.evenings.state, actor, found)

    def contents_of(self, desk: str, question: int) -> Collection[str]:
        found = self.evenings.state.questions.get(QuestionId(question))
        return () if found is None else [one for one in (found.content, found.answer) if one]

    def origin_of(self, desk: str, claims: DeskClaims, question: int) -> str | None:
        actor = Actor(PersonId(claims.sub), claims.role)
        return references.origin_of(self.evenings.state, actor, question)

    def rates(self, desk: str, claims: DeskClaims, question: int) -> str | None:
        found = self.evenings.state.questions.get(QuestionId(question))
        return None if found is None or found.pupil != claims.sub else found.tutor

    def name(self, desk: str, person: str) -> str:
        return self.names.get(person, "")

    def officer(self, desk: str) -> str:
        return "示例安全负责人"

    def recording_url(self, desk: str, evening: str, session: int, until: float) -> str | None:
        return None if self.url is None else f"{self.url}/{evening}/{session}"


class Kept:
    """The stores, their routes, and a clock that stands still."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.now = datetime.fromtimestamp(OPENS, UTC)
        self.database = database
        self.folder = folder
        self.store = DeskContent(database, folder / "desk", folder / "proofs", now=lambda: self.now)
        self.keys = TokenKeys([SigningKey("k1", b"k" * 32)])
        self.host = CoreHost(evening(tutors=2, pupils=4))
        parts = DeskParts(self.store, lambda: self.keys, self.host, self.second)
        self.app = Starlette(routes=DeskContentRoutes(parts).routes())
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app), base_url="http://desk"
        )

    def second(self) -> float:
        return self.now.timestamp()

    def wait(self, **more: float) -> None:
        self.now += timedelta(**more)

    def as_(
        self, role: Role, sub: str, *, desk: str = DESK, children: tuple[str, ...] = ()
    ) -> dict[str, str]:
        """The headers of somebody."""
        now = self.now.timestamp()
        claims = DeskClaims(
            sub, role, desk, now + 600, now, children=children,
            grade=7 if role is Role.PUPIL else None,
        )  # fmt: skip
        return {"Authorization": f"Bearer {self.keys.issue(claims)}"}

    def pupil(self, number: int = 1) -> dict[str, str]:
        return self.as_(Role.PUPIL, f"pupil-{number}")

    def tutor(self, number: int = 1) -> dict[str, str]:
        return self.as_(Role.TUTOR, f"tutor-{number}")

    def author(self, person: str = "pupil-1", role: Role = Role.PUPIL) -> Author:
        return Author(person, role, DESK, EVENING)

    async def send(
        self, kind: str, data: bytes, who: dict[str, str], media_type: str = ""
    ) -> httpx.Response:
        media_type = media_type or ("image/jpeg" if kind == "photos" else "audio/webm")
        return await self.http.post(
            f"/api/desk/{kind}", content=data, headers=who | {"Content-Type": media_type}
        )

    async def photo(self, who: dict[str, str] | None = None, data: bytes | None = None) -> str:
        answer = await self.send("photos", data or picture(), who or self.pupil())
        assert answer.status_code == 201, answer.text
        return str(answer.json()["photo"])

    async def content(self, who: dict[str, str] | None = None, **wish: object) -> str:
        answer = await self.http.post("/api/desk/contents", json=wish, headers=who or self.pupil())
        assert answer.status_code == 201, answer.text
        return str(answer.json()["content"])

    def files(self) -> int:
        """How many files the desk has on disk."""
        return sum(path.is_file() for path in (self.folder / "desk").rglob("*"))


def picture(
    size: tuple[int, int] = (800, 600), kind: str = "JPEG", *, exif: bool = False, seed: int = 1
) -> bytes:
    """A photo of noise on paper; its left half is red."""
    pixels = np.random.default_rng(seed).integers(200, 255, (size[1], size[0], 3), np.uint8)
    pixels[:, : size[0] // 2, 1:] = 20
    target = io.BytesIO()
    extra: dict[str, Any] = {}
    if exif:
        made = Image.Exif()
        made[0x0112] = 6  # Turn it right.
        made[0x010F] = "示例手机"
        made.get_ifd(0x8825)[2] = (22.0, 32.0, 10.0)
        extra["exif"] = made
    Image.fromarray(pixels).save(target, kind, **extra)
    return target.getvalue()


def bomb() -> bytes:
    """A PNG of 60,000 × 60,000 pixels in some hundred bytes."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * 100_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def voice(seconds: float = 2.0, container: str = "webm", codec: str = "") -> bytes:
    """A recording as MediaRecorder makes it, or with another codec."""
    import av

    codec, rate = codec or ("libopus" if container == "webm" else "aac"), 48_000
    target = io.BytesIO()
    with av.open(target, "w", format=container) as made:
        stream: Any = made.add_stream(codec, rate=rate, layout="mono")
        wave = np.sin(2 * np.pi * 440 * np.arange(int(seconds * rate)) / rate).astype(np.float32)
        for at in range(0, len(wave), 960):
            frame = av.AudioFrame.from_ndarray(wave[None, at : at + 960] * 0.3, "fltp", "mono")
            frame.sample_rate, frame.pts = rate, at
            made.mux(stream.encode(frame))
        made.mux(stream.encode(None))
    return target.getvalue()


def moving_picture() -> bytes:
    """A video without sound, in a container that voices come in."""
    import av

    target = io.BytesIO()
    with av.open(target, "w", format="webm") as made:
        stream: Any = made.add_stream("libvpx", rate=10)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for _ in range(5):
            pixels = np.zeros((64, 64, 3), np.uint8)
            made.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        made.mux(stream.encode(None))
    return target.getvalue()
