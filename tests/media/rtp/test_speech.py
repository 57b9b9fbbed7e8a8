from twinclass_media.rtp.speech import SpeechDetector


def talk(detector: SpeechDetector, who: str, level: int, start: float, seconds: float) -> float:
    now = start
    while now < start + seconds:
        detector.heard(who, level, now)
        now += 0.02
    return now


def test_speech_is_noticed_and_held_over_a_pause() -> None:
    detector = SpeechDetector()
    now = talk(detector, "a", 25, 0.0, 1.0)
    assert [name for name, _ in detector.speakers(now)] == ["a"]
    now = talk(detector, "a", 127, now, 1.0)
    assert [name for name, _ in detector.speakers(now)] == ["a"]
    now = talk(detector, "a", 127, now, 1.5)
    assert detector.speakers(now) == []


def test_a_knock_is_no_speech() -> None:
    detector = SpeechDetector()
    talk(detector, "a", 127, 0.0, 0.5)
    now = talk(detector, "a", 20, 0.5, 0.06)
    now = talk(detector, "a", 127, now, 0.3)
    assert detector.speakers(now) == []


def test_the_louder_speaker_comes_first() -> None:
    detector = SpeechDetector()
    talk(detector, "far", 45, 0.0, 2.0)
    now = talk(detector, "near", 20, 0.0, 2.0)
    assert [name for name, _ in detector.speakers(now)] == ["near", "far"]
