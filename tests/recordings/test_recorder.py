"""What a recorder writes: files that play, without gaps that were not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from recordings.feeding import H264, OPUS, VP8, Feeding, Stream, audio_track, probe, video_track
from twinclass_recordings.assemble import look
from twinclass_recordings.recorder import journal


def lines(feeding: Feeding) -> list[journal.Line]:
    return journal.decode(feeding.package.journal.read_bytes())


def parts(feeding: Feeding) -> list[journal.PartBegun]:
    return [line for line in lines(feeding) if isinstance(line, journal.PartBegun)]


@pytest.mark.parametrize(("codec", "piped"), [("H264", H264), ("VP8", VP8)])
async def test_picture_and_sound_become_files_that_play(
    tmp_path: Path, codec: str, piped: object
) -> None:
    assert piped in (H264, VP8)
    payload_type = H264.payload_type if codec == "H264" else VP8.payload_type
    async with Feeding(tmp_path, video_track(), audio_track()) as feeding:
        streams = {
            "lead-camera": Stream(payload_type, 90_000),
            "lead-microphone": Stream(OPUS.payload_type, 48_000),
        }
        await feeding.play(6.0, streams, codec=codec)
        await feeding.finish()
        camera, sound = sorted(parts(feeding), key=lambda part: part.kind, reverse=True)
        assert camera.codec == codec.lower()
        assert (camera.width, camera.height) == (320, 180)
        pictures = probe(feeding.package.folder / camera.path)
        assert len(pictures) == 150
        assert [at for at, key in pictures if key] == pytest.approx([0.0, 2.0, 4.0], abs=0.002)
        assert pictures[-1][0] == pytest.approx(149 / 25, abs=0.002)
        tones = probe(feeding.package.folder / sound.path)
        assert len(tones) == 300
        assert tones[-1][0] == pytest.approx(299 * 0.02, abs=0.001)
        assert abs(camera.start_s - sound.start_s) < 0.001
        ends = [line for line in lines(feeding) if isinstance(line, journal.PartEnded)]
        assert {line.cause for line in ends} == {"finished"}
        assert isinstance(lines(feeding)[-1], journal.Finished)


async def test_a_lost_packet_is_waited_for_and_then_costs_until_the_next_keyframe(
    tmp_path: Path,
) -> None:
    from light import encoded

    async with Feeding(tmp_path, video_track()) as feeding:
        stream = Stream(H264.payload_type, 90_000)
        frames = encoded.video("H264", 320, 180, 100, 25, 50)
        for number in range(100):
            feeding.now = number / 25
            packets = stream.packets(frames[number].payloads, feeding.now)
            if number == 20:
                packets = []  # lost for good
            if number == 30:
                held = packets
                packets = []
            if number == 31:
                packets = [*packets, *held]  # late, but in time
            feeding.push("lead-camera", packets)
            feeding.tick()
        assert feeding.track("lead-camera").wants_keyframe(feeding.now) is None
        await feeding.finish()
        pictures = probe(feeding.package.folder / parts(feeding)[0].path)
        assert len(pictures) == 20 + 50
        assert pictures[20][0] == pytest.approx(2.0, abs=0.002)


async def test_a_new_size_begins_a_new_file_without_a_gap(tmp_path: Path) -> None:
    async with Feeding(tmp_path, video_track()) as feeding:
        stream = Stream(H264.payload_type, 90_000)
        await feeding.play(2.0, {"lead-camera": stream})
        await feeding.play(2.0, {"lead-camera": stream}, size=(640, 360))
        await feeding.finish()
        first, second = parts(feeding)
        assert (second.width, second.height) == (640, 360)
        assert second.start_s == pytest.approx(2.0, abs=0.005)
        length = probe(feeding.package.folder / first.path)
        assert len(length) == 50
        assert len(probe(feeding.package.folder / second.path)) == 50


async def test_a_report_sets_right_all_files_that_began_by_arrival(tmp_path: Path) -> None:
    """A busy beginning: the first picture is 0.3 s late, and its size changes at once."""
    from light import encoded

    async with Feeding(tmp_path, video_track()) as feeding:
        stream = Stream(H264.payload_type, 90_000)
        first = encoded.video("H264", 320, 180, 100, 25, 25)[0]
        large = encoded.video("H264", 640, 360, 100, 25, 25)
        feeding.now = 1.0
        feeding.push("lead-camera", stream.packets(first.payloads, feeding.now), delay=0.3)
        for number in range(50):
            feeding.now = 1.04 + number / 25
            delay = max(0.0, 0.3 - number / 25)
            frame = large[number]
            feeding.push("lead-camera", stream.packets(frame.payloads, feeding.now), delay=delay)
            if number == 25:
                feeding.report("lead-camera", stream, feeding.now)
            feeding.tick()
        await feeding.finish()
        assert [one.width for one in parts(feeding)] == [320, 640]
        [track] = look(feeding.package).tracks
        [run] = track.runs
        starts = [one.start_s for one in run.parts]
        assert starts == [pytest.approx(1.0, abs=0.005), pytest.approx(1.04, abs=0.005)]


async def test_silence_ends_a_file_and_what_comes_later_is_another(tmp_path: Path) -> None:
    async with Feeding(tmp_path, audio_track()) as feeding:
        stream = Stream(OPUS.payload_type, 48_000)
        await feeding.play(2.0, {"lead-microphone": stream})
        for _ in range(40):
            feeding.now += 0.1
            feeding.tick()
        await feeding.play(2.0, {"lead-microphone": stream})
        await feeding.finish()
        first, second = parts(feeding)
        assert first.start_s == pytest.approx(0.0, abs=0.01)
        assert second.start_s == pytest.approx(6.0, abs=0.01)
        assert len(probe(feeding.package.folder / first.path)) == 100


async def test_two_clocks_that_differ_stay_together_for_an_hour(tmp_path: Path) -> None:
    """100 ppm against each other: 0.36 s in an hour if nothing were done."""
    async with Feeding(tmp_path, audio_track("a"), audio_track("b")) as feeding:
        streams = {
            "a": Stream(OPUS.payload_type, 48_000, clock_ppm=60),
            "b": Stream(OPUS.payload_type, 48_000, clock_ppm=-40),
        }
        packet = (b"\xfc\xff\xfe",)  # a frame of silence
        for number in range(3600 * 50):
            feeding.now = number * 0.02
            for name, stream in streams.items():
                feeding.push(name, stream.packets(packet, feeding.now))
                if number % 50 == 25:
                    feeding.report(name, stream, feeding.now)
            if number % 5 == 0:
                feeding.tick()
            if number % 500 == 0:
                await feeding.settle()
        ends = {}
        for name in streams:
            part = feeding.track(name).part
            assert part is not None
            ends[name] = part.start_s + part.duration_s
        assert abs(ends["a"] - ends["b"]) < 0.04
        assert ends["a"] == pytest.approx(3600.0, abs=0.06)
        await feeding.finish()


async def test_the_highest_layer_that_arrives_is_written_and_a_lower_one_when_it_stops(
    tmp_path: Path,
) -> None:
    from light import encoded

    async with Feeding(tmp_path, video_track(layers=2)) as feeding:
        low, high = Stream(H264.payload_type, 90_000), Stream(H264.payload_type, 90_000)
        small = encoded.video("H264", 320, 180, 100, 25, 25)
        large = encoded.video("H264", 640, 360, 100, 25, 25)
        for number in range(300):
            feeding.now = number / 25
            at = number % 100
            feeding.push("lead-camera", low.packets(small[at].payloads, feeding.now), 0)
            if not 100 <= number < 200:
                feeding.push("lead-camera", high.packets(large[at].payloads, feeding.now), 1)
            feeding.tick()
        await feeding.finish()
        sizes = [part.width for part in parts(feeding)]
        assert sizes == [320, 640, 320, 640]
        assert feeding.lesson.tracks == {}
        for part in parts(feeding):
            probe(feeding.package.folder / part.path)
