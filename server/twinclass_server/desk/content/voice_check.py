"""Reads a voice that a pupil or tutor recorded, in a process of its own with limits, and encodes it
anew.

``python -m twinclass_server.desk.content.voice_check IN OUT`` prints one JSON object: ``seconds``,
or ``code`` of a refusal. What comes out is AAC in MP4, mono, without title, place or device:
Safari plays no WebM, and nothing that was in the file but sound is in it any more.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from typing import Any

import av
from av.audio.resampler import AudioResampler
from av.error import FFmpegError

#: A question is said in half a minute; a minute is a question and its drawing explained.
MAX_S = 60.0
#: MediaRecorder stops a little late, and encoders pad.
_LEEWAY_S = 1.0
#: What browsers and phones record into. Playlists (HLS, concat) would read other files.
_FORMATS = "matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,ogg,wav,mp3,aac"
_CODECS = "opus,libopus,vorbis,aac,mp3,mp3float,pcm_s16le,pcm_f32le,flac,amrnb"
_RATE = 24_000
_BIT_RATE = 48_000
_MEMORY_BYTES = 1024 * 1024 * 1024
_CPU_S = 15
_FILE_BYTES = 4 * 1024 * 1024


def limit() -> None:
    """Bounds what this process may use, for good."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_FILE_BYTES, _FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class _TooLong(Exception):
    """More than a minute came out of the decoder, whatever the file said of itself."""


def check(source: Path, target: Path) -> dict[str, object]:
    """Returns what is said of a file; writes the clean voice when it is good."""
    if source.stat().st_size == 0:
        return {"code": "voice_empty"}
    options = {
        "format_whitelist": _FORMATS, "codec_whitelist": _CODECS, "protocol_whitelist": "file",
    }  # fmt: skip
    try:
        opened: Any = av.open(str(source), options=options)
    except (FFmpegError, OSError, ValueError):
        return {"code": "voice_unknown"}
    try:
        with opened:
            if not opened.streams.audio:
                return {"code": "voice_unknown"}
            # The option above holds for what opening decodes, not for what we do.
            if opened.streams.audio[0].codec_context.name not in _CODECS.split(","):
                return {"code": "voice_unknown"}
            seconds = _encode(opened, target)
    except _TooLong:
        return {"code": "voice_too_long"}
    except (FFmpegError, OSError, ValueError, MemoryError, OverflowError):
        return {"code": "voice_broken"}
    if seconds <= 0:
        return {"code": "voice_empty"}
    return {"seconds": round(seconds, 2)}


def _encode(opened: Any, target: Path) -> float:  # noqa: ANN401 - PyAV's own container
    resampler = AudioResampler(format="fltp", layout="mono", rate=_RATE)
    samples = 0
    # Its moov in front: a phone plays it before it has all of it.
    with av.open(str(target), "w", format="ipod", options={"movflags": "faststart"}) as clean:
        stream: Any = clean.add_stream("aac", rate=_RATE, layout="mono")
        stream.bit_rate = _BIT_RATE
        for frame in _decoded(opened):
            for piece in resampler.resample(frame):
                samples += piece.samples
                if samples > (MAX_S + _LEEWAY_S) * _RATE:
                    raise _TooLong
                # What a browser writes has holes and begins anywhere; a voice is its samples.
                piece.pts = None
                clean.mux(stream.encode(piece))
        clean.mux(stream.encode(None))
    return samples / _RATE


def _decoded(opened: Any) -> Any:  # noqa: ANN401 - PyAV's own frames
    yield from opened.decode(audio=0)
    yield None


if __name__ == "__main__":
    limit()
    print(json.dumps(check(Path(sys.argv[1]), Path(sys.argv[2]))))
