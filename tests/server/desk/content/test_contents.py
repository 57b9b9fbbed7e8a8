"""Photos, voices and texts over HTTP: what is made of them, what is refused, who sees them."""

from __future__ import annotations

import io

import av
import pytest
from PIL import Image

from hosting.desk import PUPILS, TUTORS
from server.desk.content.kept import Kept, bomb, moving_picture, picture, voice
from twinclass_server.desk.content import models
from twinclass_signaling.desk import commands as c
from twinclass_signaling.desk.plan import QuestionId
from twinclass_signaling.roles import Role


async def shown(kept: Kept, content: str, who: dict[str, str], question: int | None = None) -> int:
    params = {} if question is None else {"question": str(question)}
    answer = await kept.http.get(f"/api/desk/contents/{content}", params=params, headers=who)
    return answer.status_code


async def test_a_photo_is_drawn_anew_upright_and_small(kept: Kept) -> None:
    sent = picture((3200, 1200), exif=True)
    assert b"Exif" in sent
    answer = await kept.send("photos", sent, kept.pupil())
    assert answer.status_code == 201
    made = answer.json()
    # Turned right, and no side above 2560.
    assert (made["width"], made["height"]) == (960, 2560)
    content = await kept.content(text="第 3 题", photos=[made["photo"]])
    said = (await kept.http.get(f"/api/desk/contents/{content}", headers=kept.pupil())).json()
    [photo] = said["photos"]
    # The link alone is enough, and says what it is.
    large = await kept.http.get(photo["url"])
    assert large.headers["content-type"] == "image/jpeg"
    assert large.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in large.headers["content-security-policy"]
    drawn = Image.open(io.BytesIO(large.content))
    assert drawn.size == (960, 2560)
    assert not drawn.getexif()
    assert b"Exif" not in large.content
    # Its left half was red; turned right that is the upper half.
    red = drawn.convert("RGB").getpixel((480, 200))
    assert isinstance(red, tuple)
    assert red[0] > 150
    assert red[1] < 90
    thumb = Image.open(io.BytesIO((await kept.http.get(photo["thumb"])).content))
    assert max(thumb.size) == 360


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
async def test_other_pictures_become_jpeg(kept: Kept, kind: str) -> None:
    answer = await kept.send("photos", picture((60, 40), kind), kept.pupil(), f"image/{kind}")
    assert answer.status_code == 201


async def test_a_second_file_behind_a_picture_is_gone(kept: Kept) -> None:
    sent = picture((200, 100)) + b"PK\x03\x04" + b"<script>alert(1)</script>" * 100
    content = await kept.content(photos=[await kept.photo(data=sent)])
    said = (await kept.http.get(f"/api/desk/contents/{content}", headers=kept.pupil())).json()
    served = (await kept.http.get(said["photos"][0]["url"])).content
    assert b"script" not in served
    assert b"PK\x03\x04" not in served


@pytest.mark.parametrize(
    ("data", "media_type", "status", "code"),
    [
        (b"", "image/jpeg", 422, "image_empty"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml", 422, "image_unknown"),
        (b"<html><script>1</script>", "image/png", 422, "image_unknown"),
        (b"<html>", "text/html", 400, "wrong_content_type"),
        (bomb(), "image/png", 422, "image_too_many_pixels"),
        (picture()[:4000], "image/jpeg", 422, "image_broken"),
        (b"\xff\xd8" + b"x" * 10 * 1024 * 1024, "image/jpeg", 413, "photo_too_large"),
    ],
)
async def test_a_bad_picture_is_refused_with_a_reason(
    kept: Kept, data: bytes, media_type: str, status: int, code: str
) -> None:
    answer = await kept.send("photos", data, kept.pupil(), media_type)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert set(answer.json()["text"]) == {"zh", "en"}
    assert answer.headers["cache-control"] == "no-store"
    assert kept.files() == 0, "nothing of it is left"


@pytest.mark.parametrize("container", ["webm", "mp4"])
async def test_a_voice_is_encoded_anew(kept: Kept, container: str) -> None:
    answer = await kept.send("voices", voice(2, container), kept.tutor(), f"audio/{container}")
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert made["seconds"] == pytest.approx(2, abs=0.1)
    content = await kept.content(kept.tutor(), voice=made["voice"])
    said = (await kept.http.get(f"/api/desk/contents/{content}", headers=kept.tutor())).json()
    served = await kept.http.get(said["voice"]["url"], headers={"Range": "bytes=0-15"})
    assert served.status_code == 206, "players ask for ranges"
    assert served.headers["content-type"] == "audio/mp4"
    whole = (await kept.http.get(said["voice"]["url"])).content
    with av.open(io.BytesIO(whole)) as opened:
        assert opened.streams.audio[0].codec_context.name == "aac"


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 422, "voice_empty"),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hosts\n", 422, "voice_unknown"),
        (b"ffconcat version 1.0\nfile /etc/hosts\n", 422, "voice_unknown"),
        (picture(), 422, "voice_unknown"),
        (voice(2)[:600], 422, "voice_empty"),
        (voice(2, "matroska", "ac3"), 422, "voice_unknown"),
        (voice(2, "mpegts", "aac"), 422, "voice_unknown"),
        (moving_picture(), 422, "voice_unknown"),
        (voice(63), 422, "voice_too_long"),
        (b"x" * (2 * 1024 * 1024 + 1), 413, "voice_too_large"),
    ],
)
async def test_a_bad_voice_is_refused_with_a_reason(
    kept: Kept, data: bytes, status: int, code: str
) -> None:
    answer = await kept.send("voices", data, kept.pupil())
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert kept.files() == 0


async def test_contacts_are_blocked_and_kept_for_moderators_only(kept: Kept) -> None:
    text = "老师我加你，我的电话是 13800138000"
    answer = await kept.http.post("/api/desk/contents", json={"text": text}, headers=kept.pupil())
    assert (answer.status_code, answer.json()["code"]) == (409, "text_blocked")
    phone = next(one for one in answer.json()["found"] if one["kind"] == "phone")
    assert text[phone["start"] : phone["end"]] == "13800138000"
    with kept.database.session() as session:
        assert session.query(models.Content).count() == 0
    assert (await kept.http.get("/api/desk/flags", headers=kept.tutor())).status_code == 403
    moderator = kept.as_(Role.MODERATOR, "moderator")
    [flag] = (await kept.http.get("/api/desk/flags", headers=moderator)).json()["flags"]
    assert (flag["text"], flag["author"]) == (text, "pupil-1")
    elsewhere = kept.as_(Role.MODERATOR, "other", desk="grade-8")
    assert (await kept.http.get("/api/desk/flags", headers=elsewhere)).json()["flags"] == []
    for who, status in ((elsewhere, 404), (moderator, 204)):
        seen = await kept.http.post(f"/api/desk/flags/{flag['n']}", headers=who)
        assert seen.status_code == status
    assert (await kept.http.get("/api/desk/flags", headers=moderator)).json()["flags"] == []


@pytest.mark.parametrize(
    ("wish", "status", "code"),
    [
        ({}, 409, "content_empty"),
        ({"text": " \n "}, 409, "content_empty"),
        ({"text": "算" * 2001}, 409, "text_too_long"),
        ({"text": "a\0b"}, 400, "body_malformed"),
        ({"photos": ["p-unknown"]}, 404, "media_unknown"),
        ({"photos": ["p-1", "p-2", "p-3", "p-4"]}, 409, "too_many_photos"),
        ({"voice": "v-unknown"}, 404, "media_unknown"),
        ({"text": "1", "more": 1}, 400, "body_malformed"),
    ],
)
async def test_what_cannot_be_sent_is_refused(
    kept: Kept, wish: dict[str, object], status: int, code: str
) -> None:
    answer = await kept.http.post("/api/desk/contents", json=wish, headers=kept.pupil())
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_homework_passes(kept: Kept) -> None:
    await kept.content(
        text="解方程 $x^2 - 13800138000 = 0$，x = 1/2？\n红包里有 20 元，花了 5 元。"
    )


async def test_a_photo_is_sent_once_and_only_by_its_owner(kept: Kept) -> None:
    photo = await kept.photo(kept.pupil(1))

    async def send(who: dict[str, str]) -> str | None:
        answer = await kept.http.post("/api/desk/contents", json={"photos": [photo]}, headers=who)
        return None if answer.status_code == 201 else str(answer.json()["code"])

    assert await send(kept.pupil(2)) == "media_unknown"
    assert await send(kept.as_(Role.PUPIL, "pupil-1", desk="grade-8")) == "media_unknown"
    assert await send(kept.pupil(1)) is None
    assert await send(kept.pupil(1)) == "media_used"


async def test_content_is_shown_to_whom_the_core_shows_its_question(kept: Kept) -> None:
    content = await kept.content(text="为什么？")
    other = await kept.content(kept.pupil(2), text="别的问题")
    desk, question = kept.host.evenings, QuestionId(1)
    desk.do(c.AskQuestion("maths", content), PUPILS[0])
    desk.do(c.TellBank(question))
    assert desk.offered() == {1: "tutor-1"}
    assert await shown(kept, content, kept.pupil(1)) == 200, "her own needs no question"
    assert await shown(kept, content, kept.pupil(2), 1) == 404
    assert await shown(kept, content, kept.pupil(2)) == 404
    assert await shown(kept, content, kept.tutor(1), 1) == 200
    assert await shown(kept, content, kept.tutor(2), 1) == 404, "not offered to her"
    assert await shown(kept, content, kept.as_(Role.MODERATOR, "moderator"), 1) == 200
    assert await shown(kept, content, kept.as_(Role.GUARDIAN, "guardian"), 1) == 404
    assert await shown(kept, content, kept.as_(Role.DUTY_PLANNER, "planner"), 1) == 404
    # A question that she may see opens its own contents, and no other's.
    assert await shown(kept, other, kept.tutor(1), 1) == 404
    assert await shown(kept, other, kept.pupil(1), 1) == 404
    # Nor does another desk's link.
    elsewhere = kept.as_(Role.TUTOR, "tutor-1", desk="grade-8")
    assert await shown(kept, content, elsewhere, 1) == 404
    desk.do(c.AcceptOffer(question), TUTORS[0])
    answer = await kept.content(kept.tutor(1), text="因为 $a=b$。")
    desk.do(c.AnswerQuestion(question, answer), TUTORS[0])
    assert await shown(kept, answer, kept.pupil(1), 1) == 200
    assert await shown(kept, answer, kept.pupil(2), 1) == 404
    said = await kept.http.get(f"/api/desk/contents/{answer}?question=1", headers=kept.pupil(1))
    assert said.json()["by"] == "tutor"
    assert "tutor-1" not in said.text, "no ids of people"


async def test_links_expire_and_are_for_one_file(kept: Kept) -> None:
    content = await kept.content(photos=[await kept.photo()])
    said = (await kept.http.get(f"/api/desk/contents/{content}", headers=kept.pupil())).json()
    url, thumb = said["photos"][0]["url"], said["photos"][0]["thumb"]
    seal = url.split("/")[4]
    for wrong in (url.replace(seal, thumb.split("/")[4]), url.replace(seal, seal[:-4] + "AAAA")):
        assert (await kept.http.get(wrong)).status_code == 401
    kept.wait(hours=2)
    late = await kept.http.get(url)
    assert (late.status_code, late.json()["code"]) == (401, "token_expired")


async def test_only_links_of_the_desk_come_in(kept: Kept) -> None:
    assert (await kept.http.get("/api/desk/contents/c-1")).status_code == 401
    for role, kind in ((Role.GUARDIAN, "photos"), (Role.MODERATOR, "voices")):
        who = kept.as_(role, "somebody")
        assert (await kept.send(kind, picture(), who)).status_code == 403


async def test_a_person_sends_so_much_and_no_more(kept: Kept) -> None:
    for _ in range(30):
        await kept.content(text="1 + 1 = ?")
    answer = await kept.http.post("/api/desk/contents", json={"text": "?"}, headers=kept.pupil())
    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
    assert int(answer.headers["retry-after"]) <= 120
    await kept.content(kept.pupil(2), text="another pupil is not held up")
    kept.wait(minutes=2)
    await kept.content(text="later she may")
