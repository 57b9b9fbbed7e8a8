"""The desk of a running server as tests of it need it."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pikepdf

from hosting.running import Running
from twinclass_server.school import staff_path


class Client:
    """One member of staff."""

    def __init__(self, server: Running, token: str) -> None:
        self.http = httpx.AsyncClient(
            trust_env=False,
            base_url=server.public_url,
            headers={"Authorization": f"Bearer {token}"} if token else {},
        )
        self.server = server

    async def get(self, path: str) -> dict[str, Any]:
        answer = await self.http.get(path)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def plan(self, **changes: object) -> str:
        answer = await self.http.post("/api/lessons", json=await self.wish(**changes))
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def wish(self, **changes: object) -> dict[str, Any]:
        schools = (await self.get("/api/school"))["schools"]
        classes = [one["id"] for school in schools for one in school["classes"]][:2]
        starts = (datetime.now(UTC) + timedelta(days=2)).isoformat()
        return {"title": "有理数的乘法", "starts_at": starts, "classes": classes} | changes

    async def sheet(self, lesson: str) -> dict[str, Any]:
        return await self.get(f"/api/lessons/{lesson}")


def staff_token(server: Running, role: str = "operator", sub: str = "operator") -> str:
    return staff_path(server.keys, role, sub, "", 600).partition("token=")[2]


def link_token(sheet: dict[str, Any], role: str) -> str:
    url = next(link["url"] for link in sheet["links"] if link["role"] == role)
    return urlsplit(url).fragment.removeprefix("token=")


def pdf(pages: int = 2, *, password: str = "", script: bool = False) -> bytes:
    target = io.BytesIO()
    with pikepdf.new() as made:
        for _ in range(pages):
            made.add_blank_page(page_size=(400, 300))
        if script:
            made.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(1)")
        if password:
            made.save(target, encryption=pikepdf.Encryption(owner="o", user=password))
        else:
            made.save(target)
    return target.getvalue()


async def upload(client: httpx.AsyncClient, lesson: str, token: str, data: bytes) -> httpx.Response:
    return await client.post(
        f"/api/lessons/{lesson}/slides",
        content=data,
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/pdf"},
    )
