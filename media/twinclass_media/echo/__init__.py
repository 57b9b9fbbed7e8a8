"""What comes back from a room: echo and howl, from audio levels alone (RFC 6464)."""

from twinclass_media.echo.detector import EchoDetector, Finding, Trouble

__all__ = ["EchoDetector", "Finding", "Trouble"]
