"""Who speaks: from audio levels in header extensions, without decoding.

Levels are -dBov, 0 loudest, 127 silence (RFC 6464). A producer counts as speaking when its
smoothed level is above the threshold for a moment, and stays so over the pauses between words,
so that sound and picture of who speaks do not jump.
"""

from __future__ import annotations

from dataclasses import dataclass

#: Speech in a classroom is at -20 to -45 dBov; fans and chairs are below -50.
THRESHOLD_DBOV = -50.0
#: Two 20 ms packets more than a cough.
ONSET_S = 0.2
#: Pauses between sentences.
RELEASE_S = 1.5
#: Time constant of the smoothing, in packets of 20 ms.
_SMOOTHING = 0.2


@dataclass(slots=True)
class _Voice:
    level: float = -127.0
    loud_since: float | None = None
    last_loud: float = float("-inf")
    speaking: bool = False


class SpeechDetector:
    """Speakers of one router; keys are producer ids."""

    __slots__ = ("_voices",)

    def __init__(self) -> None:
        self._voices: dict[str, _Voice] = {}

    def heard(self, key: str, level: int, now: float) -> None:
        """Notes one packet's level (RFC 6464: 0..127, in -dBov)."""
        voice = self._voices.get(key)
        if voice is None:
            voice = self._voices[key] = _Voice()
        voice.level += (-level - voice.level) * _SMOOTHING
        if voice.level > THRESHOLD_DBOV:
            if voice.loud_since is None:
                voice.loud_since = now
            voice.last_loud = now
        elif now - voice.last_loud > ONSET_S:
            voice.loud_since = None

    def remove(self, key: str) -> None:
        """Forgets a producer that closed or was paused."""
        self._voices.pop(key, None)

    def speakers(self, now: float) -> list[tuple[str, int]]:
        """Returns (key, smoothed level in -dBov) of those who speak, loudest first."""
        found: list[tuple[str, int]] = []
        for key, voice in self._voices.items():
            if voice.speaking:
                voice.speaking = now - voice.last_loud <= RELEASE_S
            elif voice.loud_since is not None:
                voice.speaking = now - voice.loud_since >= ONSET_S
            if voice.speaking:
                found.append((key, min(127, max(0, round(-voice.level)))))
        found.sort(key=lambda item: item[1])
        return found
