"""Bounded SDP parser (RFC 8866) for what WebRTC peers send.

Ours and not aiortc's, because ``aiortc.sdp`` knows neither ``a=rid`` nor ``a=simulcast``, does
not keep all ``fmtp`` text, raises whatever its conversions raise, and has no limits: a megabyte
of text is parsed. Here everything that is malformed or too much is an ``SdpError``, and nothing
else is ever raised.

Two passes over the lines of one m-line: Firefox puts ``fmtp`` and ``rtcp-fb`` before the
``rtpmap`` they belong to, so they are kept until the section ends.

Attributes: RFC 8829 (which), RFC 8839 (ICE), RFC 8842 (setup, fingerprint), RFC 8853
(simulcast), RFC 8851 (rid), RFC 8285 (extmap), RFC 5888 and 9143 (group, mid), RFC 5576 (ssrc),
RFC 4585 (rtcp-fb).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from twinclass_signaling.errors import SdpError
from twinclass_signaling.messages import MAX_SDP_CHARS
from twinclass_signaling.sdp.description import (
    CandidateLine,
    Direction,
    Extension,
    Fingerprint,
    MediaSection,
    Rid,
    RtpCodec,
    SessionDescription,
    Setup,
    SsrcGroup,
)

#: A viewer's answer to a full pool: 64 m-lines with about 40 lines each.
MAX_LINES = 3000
#: The longest real line is an H264 fmtp with parameter sets, below 1 KiB.
MAX_LINE_CHARS = 2048
#: A full downlink pool: lead, slides, document, 16 on stage with sound, wall of 32.
MAX_MEDIA = 64
#: Chromium offers 34 video formats.
MAX_FORMATS = 80
#: Ids of one-byte extensions end at 14; Chromium offers 13. Twice that for two-byte ids.
MAX_EXTENSIONS = 32
#: Three layers with retransmission are six; Firefox signals them all.
MAX_SSRCS = 32
#: A host with many interfaces, both protocols, two components (Firefox).
MAX_CANDIDATES = 100
#: Pages send three; the RFC's examples have four.
MAX_RIDS = 8
#: Real peers send one, some also an older hash.
MAX_FINGERPRINTS = 4

_TYPES = frozenset("vosiuepcbtrzkam")
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`{|}~0-9A-Za-z]{1,64}")
#: Looser than RFC 8839: Firefox and older stacks also use '-', '_' and '='.
_ICE_LOOSE = re.compile(r"[0-9A-Za-z+/\-_=]+")
_RID = re.compile(r"[0-9A-Za-z_\-]{1,16}")
_HEX_PAIRS = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){15,63}")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_HOST = re.compile(r"[0-9A-Za-z.:%_\-]{1,253}")
_DIRECTIONS: dict[str, Direction] = {
    "sendrecv": "sendrecv",
    "sendonly": "sendonly",
    "recvonly": "recvonly",
    "inactive": "inactive",
}
_SETUPS: dict[str, Setup] = {
    "active": "active",
    "passive": "passive",
    "actpass": "actpass",
    "holdconn": "holdconn",
}


def malformed(reason: str) -> SdpError:
    """The error for text that is not a session description."""
    return SdpError("sdp_malformed", "连接信息格式有误，请刷新页面重试", f"malformed SDP: {reason}")


def unsupported(reason: str) -> SdpError:
    """The error for a well-formed description that asks for what we do not do."""
    return SdpError("sdp_unsupported", "此设备的连接方式不受支持", f"unsupported SDP: {reason}")


def parse(text: str) -> SessionDescription:
    """A session description from its text.

    Raises:
        SdpError: malformed, or above a limit.
    """
    lines = split_lines(text)
    if not lines or lines[0] != ("v", "0"):
        raise malformed("does not begin with v=0")
    session = _Scope()
    description = SessionDescription()
    scopes: list[_Scope] = []
    scope = session
    for kind, value in lines[1:]:
        if kind == "m":
            if len(scopes) == MAX_MEDIA:
                raise malformed("too many m-lines")
            scope = _Scope(_media_line(value))
            scopes.append(scope)
        elif kind == "o":
            _origin(description, value)
        elif kind == "a":
            scope.attribute(value)
        elif kind == "v":
            raise malformed("second v= line")
    description.bundle = session.bundle
    description.ice_lite = session.ice_lite
    description.media = [s.finish(session) for s in scopes]
    mids = [m.mid for m in description.media if m.mid]
    if len(set(mids)) != len(mids):
        raise malformed("two m-lines with one mid")
    if not set(description.bundle) <= set(mids):
        raise malformed("group names a mid that is not there")
    return description


@dataclass(frozen=True, slots=True)
class Fragment:
    """What a trickle or restart message says (RFC 8840 ``application/trickle-ice-sdpfrag``)."""

    ice_ufrag: str
    ice_pwd: str
    candidates: tuple[CandidateLine, ...]
    end_of_candidates: bool


def parse_fragment(text: str) -> Fragment:
    """The credentials and candidates of an SDP fragment.

    Raises:
        SdpError: malformed, or above a limit.
    """
    session = _Scope()
    scopes = [session]
    for kind, value in split_lines(text):
        if kind == "m":
            if len(scopes) > MAX_MEDIA:
                raise malformed("too many m-lines")
            scopes.append(_Scope(_media_line(value)))
        elif kind == "a":
            scopes[-1].attribute(value)
    sections = [s.section for s in scopes]
    return Fragment(
        ice_ufrag=next((s.ice_ufrag for s in sections if s.ice_ufrag), ""),
        ice_pwd=next((s.ice_pwd for s in sections if s.ice_pwd), ""),
        candidates=tuple(c for s in sections for c in s.candidates),
        end_of_candidates=any(s.end_of_candidates for s in sections),
    )


def split_lines(text: str) -> list[tuple[str, str]]:
    """Type letter and value of each line; CRLF or LF, empty lines at the end only.

    Raises:
        SdpError: malformed, or above a limit.
    """
    if len(text) > MAX_SDP_CHARS:
        raise malformed("too long")
    if _CONTROL.search(text):
        raise malformed("control character")
    raw = text.replace("\r\n", "\n").rstrip("\n").split("\n")
    if len(raw) > MAX_LINES:
        raise malformed("too many lines")
    lines: list[tuple[str, str]] = []
    for line in raw:
        # A lone CR is no line end (RFC 8866 section 5 allows CRLF and LF).
        if len(line) < 2 or line[1] != "=" or line[0] not in _TYPES or "\r" in line:
            raise malformed("a line is not type=value")
        if len(line) > MAX_LINE_CHARS:
            raise malformed("a line is too long")
        lines.append((line[0], line[2:]))
    return lines


def _integer(text: str, low: int, high: int, what: str) -> int:
    # isascii: int() also takes other scripts' digits; 10 digits hold every number used here
    # and keep int() away from quadratic work.
    if not (0 < len(text) <= 10 and text.isascii() and text.isdigit()):
        raise malformed(f"{what} is not a number")
    value = int(text)
    if not low <= value <= high:
        raise malformed(f"{what} out of range")
    return value


def _origin(description: SessionDescription, value: str) -> None:
    """``o=<username> <sess-id> <sess-version> <nettype> <addrtype> <address>``."""
    parts = value.split(" ")
    if len(parts) != 6 or not (parts[1].isascii() and parts[1].isdigit()):
        raise malformed("o= line")
    description.origin_id = parts[1][:32]
    description.origin_version = parts[2][:32]


def _media_line(value: str) -> MediaSection:
    """``m=<media> <port> <proto> <fmt> ...`` (RFC 8866 section 5.14)."""
    parts = value.split(" ")
    if len(parts) < 4 or not all(parts):
        raise malformed("m= line")
    kind, port, protocol, *formats = parts
    if not _TOKEN.fullmatch(kind) or len(formats) > MAX_FORMATS:
        raise malformed("m= line")
    if not all(_TOKEN.fullmatch(part) for part in (*protocol.split("/"), *formats)):
        raise malformed("m= line")
    if kind in {"audio", "video"} and "RTP" in protocol:
        for payload_type in formats:
            _integer(payload_type, 0, 127, "payload type")
        if len(set(formats)) != len(formats):
            raise malformed("a payload type twice")
    return MediaSection(kind, _integer(port, 0, 65535, "port"), protocol, formats)


@dataclass(slots=True)
class _Scope:
    """The session level, or one m-line, while its attributes are gathered."""

    section: MediaSection = field(default_factory=lambda: MediaSection("", 0, "", []))
    bundle: list[str] = field(default_factory=list[str])
    ice_lite: bool = False
    direction_said: bool = False
    rtpmaps: dict[int, RtpCodec] = field(default_factory=dict[int, RtpCodec])
    fmtps: dict[int, str] = field(default_factory=dict[int, str])
    feedback: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    def attribute(self, text: str) -> None:
        """Takes one ``a=`` line; unknown ones are ignored."""
        name, _, value = text.partition(":")
        handler = _HANDLERS.get(name)
        if handler is not None:
            handler(self, value)
        elif name in _DIRECTIONS:
            self.section.direction = _DIRECTIONS[name]
            self.direction_said = True

    def finish(self, session: _Scope) -> MediaSection:
        """The section with its codecs put together and the session's values as fallbacks."""
        section, above = self.section, session.section
        section.ice_ufrag = section.ice_ufrag or above.ice_ufrag
        section.ice_pwd = section.ice_pwd or above.ice_pwd
        section.fingerprints = section.fingerprints or list(above.fingerprints)
        section.setup = section.setup or above.setup
        if not self.direction_said and session.direction_said:
            section.direction = above.direction
        # The order of the m-line is the order of preference (RFC 8866 section 5.14).
        for text in section.formats:
            codec = self.rtpmaps.get(int(text)) if text.isdigit() and len(text) < 4 else None
            if codec is None:
                continue
            codec.format_parameters = self.fmtps.get(codec.payload_type, "")
            for target in (str(codec.payload_type), "*"):
                for item in self.feedback.get(target, ()):
                    if item not in codec.feedback:
                        codec.feedback.append(item)
            section.codecs.append(codec)
        return section


def _rtpmap(scope: _Scope, value: str) -> None:
    # a=rtpmap:<payload type> <encoding name>/<clock rate>[/<channels>]
    number, _, rest = value.partition(" ")
    payload_type = _integer(number, 0, 127, "payload type")
    parts = rest.strip().split("/")
    if not 2 <= len(parts) <= 3 or not _TOKEN.fullmatch(parts[0]):
        raise malformed("rtpmap")
    if payload_type in scope.rtpmaps:
        raise malformed("two rtpmaps for one payload type")
    channels = _integer(parts[2], 1, 255, "channels") if len(parts) == 3 else 1
    scope.rtpmaps[payload_type] = RtpCodec(
        payload_type, parts[0], _integer(parts[1], 1, 10_000_000, "clock rate"), channels
    )


def _fmtp(scope: _Scope, value: str) -> None:
    number, _, rest = value.partition(" ")
    payload_type = _integer(number, 0, 127, "payload type")
    if payload_type in scope.fmtps:
        raise malformed("two fmtp lines for one payload type")
    scope.fmtps[payload_type] = rest.strip()


def _rtcp_fb(scope: _Scope, value: str) -> None:
    # a=rtcp-fb:<payload type or *> <kind> [<parameter>]
    target, _, rest = value.partition(" ")
    if target != "*":
        target = str(_integer(target, 0, 127, "payload type"))
    items = scope.feedback.setdefault(target, [])
    rest = " ".join(rest.split())
    if not rest or len(items) == 32:
        raise malformed("rtcp-fb")
    items.append(rest)


def _extmap(scope: _Scope, value: str) -> None:
    # a=extmap:<id>[/<direction>] <URI> [<attributes>]
    head, _, rest = value.partition(" ")
    number, slash, direction = head.partition("/")
    uri = rest.strip().split(" ")[0]
    if (slash and direction not in _DIRECTIONS) or not uri:
        raise malformed("extmap")
    # 4096 and above are placeholders for ids not given yet (RFC 8285 section 7): ignored.
    identifier = _integer(number, 1, 0xFFFF, "extension id")
    extensions = scope.section.extensions
    if len(extensions) == MAX_EXTENSIONS:
        raise malformed("too many header extensions")
    if any(e.id == identifier for e in extensions):
        raise malformed("a header extension id twice")
    if identifier <= 255:
        extensions.append(Extension(identifier, uri, direction))


def _mid(scope: _Scope, value: str) -> None:
    # 16: what the RTP header extension of one-byte form can carry (RFC 9143 section 15).
    if not _TOKEN.fullmatch(value) or len(value) > 16:
        raise malformed("mid")
    scope.section.mid = value


def _group(scope: _Scope, value: str) -> None:
    semantics, *mids = value.strip().split(" ")
    if semantics == "BUNDLE":
        if scope.bundle:
            raise malformed("two BUNDLE groups")
        if len(mids) > MAX_MEDIA or len(set(mids)) != len(mids) or not all(mids):
            raise malformed("group")
        scope.bundle = mids


def _ice_ufrag(scope: _Scope, value: str) -> None:
    # RFC 8839 section 5.4: 4 to 256 characters; a STUN USERNAME holds both (RFC 8445 7.2.2).
    if not 4 <= len(value) <= 256 or not _ICE_LOOSE.fullmatch(value):
        raise malformed("ice-ufrag")
    scope.section.ice_ufrag = value


def _ice_pwd(scope: _Scope, value: str) -> None:
    if not 22 <= len(value) <= 256 or not _ICE_LOOSE.fullmatch(value):
        raise malformed("ice-pwd")
    scope.section.ice_pwd = value


def _fingerprint(scope: _Scope, value: str) -> None:
    algorithm, _, digest = value.partition(" ")
    digest = digest.strip()
    if not _TOKEN.fullmatch(algorithm) or not _HEX_PAIRS.fullmatch(digest):
        raise malformed("fingerprint")
    if len(scope.section.fingerprints) == MAX_FINGERPRINTS:
        raise malformed("too many fingerprints")
    scope.section.fingerprints.append(Fingerprint(algorithm.lower(), digest.upper()))


def _setup(scope: _Scope, value: str) -> None:
    if value not in _SETUPS:
        raise malformed("setup")
    scope.section.setup = _SETUPS[value]


def _candidate(scope: _Scope, value: str) -> None:
    # <foundation> <component> <transport> <priority> <address> <port> typ <type> [<name> <value>]
    parts = value.split(" ")
    if len(parts) < 8 or parts[6] != "typ" or not _HOST.fullmatch(parts[4]):
        raise malformed("candidate")
    if not (_ICE_LOOSE.fullmatch(parts[0]) and len(parts[0]) <= 32 and _TOKEN.fullmatch(parts[7])):
        raise malformed("candidate")
    candidates = scope.section.candidates
    if len(candidates) == MAX_CANDIDATES:
        raise malformed("too many candidates")
    extra = dict(zip(parts[8::2], parts[9::2], strict=False))
    candidates.append(
        CandidateLine(
            foundation=parts[0],
            component=_integer(parts[1], 1, 256, "component"),
            protocol=parts[2].lower()[:16],
            priority=_integer(parts[3], 0, 0xFFFFFFFF, "priority"),
            host=parts[4],
            port=_integer(parts[5], 0, 65535, "port"),
            type=parts[7],
            tcptype=extra.get("tcptype", "")[:16],
        )
    )


def _rid(scope: _Scope, value: str) -> None:
    # a=rid:<id> send|recv [pt=...;...] (RFC 8851 section 10); restrictions are not used by pages.
    parts = value.split(" ")
    if len(parts) < 2 or not _RID.fullmatch(parts[0]) or parts[1] not in {"send", "recv"}:
        raise malformed("rid")
    rids = scope.section.rids
    if len(rids) == MAX_RIDS:
        raise malformed("too many rids")
    if any(r.id == parts[0] for r in rids):
        raise malformed("a rid twice")
    rids.append(Rid(parts[0], "send" if parts[1] == "send" else "recv"))


def _simulcast(scope: _Scope, value: str) -> None:
    # a=simulcast:send q;h;~f,g recv ... (RFC 8853 section 5.1); "~" = initially paused.
    parts = value.strip().split(" ")
    if len(parts) not in {2, 4}:
        raise malformed("simulcast")
    section = scope.section
    for direction, streams in zip(parts[::2], parts[1::2], strict=True):
        names = [stream.split(",")[0].removeprefix("~") for stream in streams.split(";")]
        if len(names) > MAX_RIDS or not all(_RID.fullmatch(name) for name in names):
            raise malformed("simulcast")
        if len(set(names)) != len(names):
            raise malformed("simulcast")
        if direction == "send" and not section.simulcast_send:
            section.simulcast_send = names
        elif direction == "recv" and not section.simulcast_recv:
            section.simulcast_recv = names
        else:
            raise malformed("simulcast")


def _ssrc(scope: _Scope, value: str) -> None:
    # a=ssrc:<ssrc-id> <attribute>[:<value>]
    number, _, rest = value.partition(" ")
    ssrc = _integer(number, 0, 0xFFFFFFFF, "ssrc")
    ssrcs = scope.section.ssrcs
    if ssrc not in ssrcs:
        if len(ssrcs) == MAX_SSRCS:
            raise malformed("too many SSRCs")
        ssrcs[ssrc] = ""
    name, _, text = rest.partition(":")
    if name == "cname":
        ssrcs[ssrc] = text[:255]


def _ssrc_group(scope: _Scope, value: str) -> None:
    semantics, *numbers = value.strip().split(" ")
    groups = scope.section.ssrc_groups
    if not _TOKEN.fullmatch(semantics) or not numbers or len(numbers) > MAX_SSRCS:
        raise malformed("ssrc-group")
    if len(groups) == MAX_SSRCS:
        raise malformed("too many ssrc-groups")
    ssrcs = tuple(_integer(number, 0, 0xFFFFFFFF, "ssrc") for number in numbers)
    groups.append(SsrcGroup(semantics, ssrcs))


def _msid(scope: _Scope, value: str) -> None:
    if not value or len(value) > 200:
        raise malformed("msid")
    # Several msid lines are legal (a track in several streams); the first is enough for us.
    scope.section.msid = scope.section.msid or value


def _flag(name: str) -> Callable[[_Scope, str], None]:
    def set_flag(scope: _Scope, _value: str) -> None:
        setattr(scope.section, name, True)

    return set_flag


def _ice_lite(scope: _Scope, _value: str) -> None:
    scope.ice_lite = True


_HANDLERS: dict[str, Callable[[_Scope, str], None]] = {
    "rtpmap": _rtpmap,
    "fmtp": _fmtp,
    "rtcp-fb": _rtcp_fb,
    "extmap": _extmap,
    "mid": _mid,
    "group": _group,
    "ice-ufrag": _ice_ufrag,
    "ice-pwd": _ice_pwd,
    "ice-lite": _ice_lite,
    "fingerprint": _fingerprint,
    "setup": _setup,
    "candidate": _candidate,
    "rid": _rid,
    "simulcast": _simulcast,
    "ssrc": _ssrc,
    "ssrc-group": _ssrc_group,
    "msid": _msid,
    "end-of-candidates": _flag("end_of_candidates"),
    "rtcp-mux": _flag("rtcp_mux"),
    "rtcp-rsize": _flag("rtcp_rsize"),
    "bundle-only": _flag("bundle_only"),
}
