"""A light peer: real ICE, DTLS-SRTP and RTCP on a UDP socket of its own, no codecs.

Independent of the server's transport code on purpose: it is what the server is tested against.
Every SRTP packet is authenticated; loss, gaps and duplicates are counted per SSRC.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import datetime
import secrets
import socket
import struct
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import pylibsrtp
from aioice import stun
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from OpenSSL import SSL
from pylibsrtp import Policy, Session

from twinclass_media.rtp.packet import RtpPacket
from twinclass_media.rtp.rtcp import receiver_estimated_maximum_bitrate, transport_feedback
from twinclass_media.rtp.transport_cc import INTERVAL_S, ArrivalLog

PROFILES = {
    "SRTP_AES128_CM_SHA1_80": (Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 16, 14),
    "SRTP_AEAD_AES_128_GCM": (Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 16, 12),
    "SRTP_AEAD_AES_256_GCM": (Policy.SRTP_PROFILE_AEAD_AES_256_GCM, 32, 12),
}


#: Numbers further behind are not answered.
MAX_LATE_NUMBERS = 500


class Identity:
    """A key and certificate that many peers may share."""

    def __init__(self) -> None:
        now = datetime.datetime.now(datetime.UTC)
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "light")])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=30))
            .sign(key, hashes.SHA256())
        )
        self.fingerprint = certificate.fingerprint(hashes.SHA256()).hex(":").upper()
        self.contexts: dict[bytes, SSL.Context] = {}
        self._key, self._certificate = key, certificate

    def context(self, profiles: bytes) -> SSL.Context:
        context = self.contexts.get(profiles)
        if context is None:
            context = self.contexts[profiles] = SSL.Context(SSL.DTLS_CLIENT_METHOD)
            context.set_verify(SSL.VERIFY_PEER, lambda *_: True)
            context.use_certificate(self._certificate)
            context.use_privatekey(self._key)
            context.set_tlsext_use_srtp(profiles)
        return context


@dataclass
class Received:
    """What came on one SSRC."""

    packets: int = 0
    octets: int = 0
    first: int = -1
    highest: int = -1
    duplicates: int = 0
    first_at: float = 0.0
    last_at: float = 0.0
    seen: set[int] = field(default_factory=set)
    payload_types: Counter[int] = field(default_factory=Counter)
    last_sr: int = 0
    last_sr_at: float = 0.0

    def add(self, sequence: int, octets: int, payload_type: int, now: float) -> None:
        if self.highest < 0:
            self.first = self.highest = 0x10000 + sequence
            self.first_at = now
            extended = self.first
        else:
            extended = self.highest + ((sequence - self.highest + 0x8000) & 0xFFFF) - 0x8000
            self.highest = max(self.highest, extended)
        if extended in self.seen:
            self.duplicates += 1
            return
        self.seen.add(extended)
        self.packets += 1
        self.octets += octets
        self.payload_types[payload_type] += 1
        self.last_at = now

    @property
    def lost(self) -> int:
        return 0 if self.highest < 0 else self.highest - self.first + 1 - len(self.seen)

    @property
    def missing(self) -> list[int]:
        return [n & 0xFFFF for n in range(self.first, self.highest) if n not in self.seen]


class LightPeer:
    """One transport. ``on_rtp(ssrc, packet, now)`` may be set for payloads."""

    def __init__(
        self,
        identity: Identity,
        profiles: bytes | None = None,
        family: socket.AddressFamily = socket.AF_INET,
    ) -> None:
        self.identity = identity
        self._family = family
        self.profiles = profiles or (
            b"SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_256_GCM:SRTP_AEAD_AES_128_GCM"
        )
        self.ufrag = secrets.token_hex(4)
        self.password = secrets.token_hex(12)
        self.streams: dict[int, Received] = {}
        self.errors: Counter[str] = Counter()
        self.on_rtp: Callable[[int, bytes, float], None] | None = None
        self.on_keyframe_request: Callable[[int], None] | None = None
        self.on_nack: Callable[[int, list[int]], None] | None = None
        self.on_rtcp: Callable[[int, int, bytes], None] | None = None
        self.feedback: Counter[str] = Counter()
        #: Transport-wide numbers: the extension's id (0: not negotiated), and when they came.
        self._number_id = 0
        self._newest_number = -1
        self._arrivals = ArrivalLog(0.0)
        self.connected = asyncio.Event()
        self.connected_at = 0.0
        self.profile = ""
        self.receiving = True
        #: What it says that it could take (REMB) once it is blind.
        self.takes_bps = 3_000_000
        self._sock = self._new_socket()
        self._remote: tuple[str, int] = ("", 0)
        self.remote_ufrag = self.remote_password = ""
        self._ice_ok = False
        self._ssl: SSL.Connection | None = None
        self._rx: Session | None = None
        self._tx: Session | None = None
        self._loop = asyncio.get_running_loop()
        self._timers: list[asyncio.TimerHandle] = []
        self._closed = False

    # ---- connecting

    def start(self, remote: tuple[str, int], ufrag: str, password: str) -> None:
        """Begins checks; DTLS follows by itself."""
        self._remote, self.remote_ufrag, self.remote_password = remote, ufrag, password
        self._connect()
        self._loop.add_reader(self._sock.fileno(), self._readable)
        self._check(0.05)

    def _new_socket(self) -> socket.socket:
        sock = socket.socket(self._family, socket.SOCK_DGRAM)
        sock.setblocking(False)
        # Many peers share one process: what it cannot read at once must not count as loss.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
        with contextlib.suppress(PermissionError):
            sock.setsockopt(socket.SOL_SOCKET, 33, 4 * 1024 * 1024)  # SO_RCVBUFFORCE
        return sock

    def _connect(self) -> None:
        self._sock.connect(self._remote)

    def move(self) -> None:
        """Goes on from another address, as a phone does that changes its network."""
        self._loop.remove_reader(self._sock.fileno())
        self._sock.close()
        self._sock = self._new_socket()
        self._connect()
        self._loop.add_reader(self._sock.fileno(), self._readable)
        self._check(0.05)

    def restart(self, ufrag: str, password: str) -> None:
        """Uses new credentials of the server from the next check on."""
        self.remote_ufrag, self.remote_password = ufrag, password

    def _check(self, again: float) -> None:
        if self._closed:
            return
        request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        request.attributes["USERNAME"] = f"{self.remote_ufrag}:{self.ufrag}"
        request.attributes["PRIORITY"] = 1853693695
        request.attributes["ICE-CONTROLLING"] = 1
        request.attributes["USE-CANDIDATE"] = None
        request.add_message_integrity(self.remote_password.encode())
        self.send_raw(bytes(request))
        delay = 2.5 if self._ice_ok else again
        self._timers = [
            t for t in self._timers if not t.cancelled() and t.when() > time.monotonic()
        ]
        self._timers.append(self._loop.call_later(delay, self._check, min(again * 2, 0.5)))

    def _start_dtls(self) -> None:
        self._ssl = SSL.Connection(self.identity.context(self.profiles), None)
        self._ssl.set_connect_state()
        self._ssl.set_ciphertext_mtu(1200)
        self._handshake()

    def _handshake(self) -> None:
        ssl = self._ssl
        if ssl is None or self._closed:
            return
        done = False
        try:
            ssl.do_handshake()
            done = True
        except SSL.WantReadError:
            pass
        except SSL.Error as error:
            self.errors[f"dtls {error}"] += 1
            return
        self._flush(ssl)
        if done:
            profile = ssl.get_selected_srtp_profile().decode()
            number, key, salt = PROFILES[profile]
            material = ssl.export_keying_material(b"EXTRACTOR-dtls_srtp", 2 * (key + salt))
            client = material[:key] + material[2 * key : 2 * key + salt]
            server = material[key : 2 * key] + material[2 * key + salt :]
            self._tx = Session(Policy(client, Policy.SSRC_ANY_OUTBOUND, srtp_profile=number))
            self._rx = Session(Policy(server, Policy.SSRC_ANY_INBOUND, srtp_profile=number))
            self._ssl = None
            self.profile = profile
            self.connected_at = time.monotonic()
            self.connected.set()
            self._timers.append(self._loop.call_later(0.5, self._report))
        else:
            timeout = ssl.DTLSv1_get_timeout()
            if timeout is not None:
                self._timers.append(self._loop.call_later(timeout + 0.001, self._dtls_timeout))

    def _flush(self, ssl: SSL.Connection) -> None:
        data = b""
        while True:
            try:
                data += ssl.bio_read(65536)
            except SSL.WantReadError:
                break
        start = end = 0
        while end + 13 <= len(data):
            size = 13 + int.from_bytes(data[end + 11 : end + 13], "big")
            if end > start and end + size - start > 1200:
                self.send_raw(data[start:end])
                start = end
            end += size
        if end > start:
            self.send_raw(data[start:end])

    def _dtls_timeout(self) -> None:
        if self._ssl is not None:
            self._ssl.DTLSv1_handle_timeout()
            self._flush(self._ssl)
            self._handshake()

    # ---- packets

    def send_raw(self, data: bytes) -> None:
        try:
            self._sock.send(data)
        except OSError as error:
            self.errors[type(error).__name__] += 1

    def send_rtp(self, packet: bytes) -> None:
        assert self._tx is not None
        self.send_raw(self._tx.protect(packet))

    def send_rtcp(self, packet: bytes) -> None:
        assert self._tx is not None
        self.send_raw(self._tx.protect_rtcp(packet))

    def _receive(self) -> list[bytes]:
        packets = []
        for _ in range(200):
            try:
                packets.append(self._sock.recv(2048))
            except BlockingIOError:
                break
            except OSError as error:
                self.errors[type(error).__name__] += 1
                break
        return packets

    def _readable(self) -> None:
        now = time.monotonic()
        for data in self._receive():
            first = data[0] if data else 255
            if 128 <= first <= 191:
                self._media(data, now)
            elif 20 <= first <= 63:
                if self._ssl is not None:
                    self._ssl.bio_write(data)
                    self._handshake()
            elif first < 4:
                self._stun(data)

    def _stun(self, data: bytes) -> None:
        message = stun.parse_message(data)
        if message.message_class == stun.Class.RESPONSE and message.check_message_integrity(
            self.remote_password.encode()
        ):
            first = not self._ice_ok
            self._ice_ok = True
            if first:
                self._start_dtls()

    def _media(self, data: bytes, now: float) -> None:
        if self._rx is None:
            self.errors["media before keys"] += 1
            return
        try:
            if 192 <= data[1] <= 223:
                self._rtcp(self._rx.unprotect_rtcp(data))
                return
            packet = self._rx.unprotect(data)
        except pylibsrtp.Error as error:
            self.errors[str(error)] += 1
            return
        _, second, sequence, _, ssrc = struct.unpack_from("!BBHII", packet)
        stream = self.streams.get(ssrc)
        if stream is None:
            stream = self.streams[ssrc] = Received()
        stream.add(sequence, len(packet) - 12, second & 0x7F, now)
        if self._number_id and packet[0] & 0x10:
            number = RtpPacket(packet).extension(self._number_id)
            if number is not None:
                self._note_number(int.from_bytes(number, "big"), now)
        if self.on_rtp is not None:
            self.on_rtp(ssrc, packet, now)

    def _rtcp(self, data: bytes) -> None:
        position = 0
        while position + 4 <= len(data):
            first, kind, words = struct.unpack_from("!BBH", data, position)
            body = data[position + 4 : position + 4 + 4 * words]
            position += 4 + 4 * words
            form = first & 0x1F
            self.feedback[f"{kind}/{form}" if kind > 204 else str(kind)] += 1
            if self.on_rtcp is not None:
                self.on_rtcp(kind, form, body)
            if kind == 200:
                ssrc, ntp = struct.unpack_from("!IQ", body)
                stream = self.streams.get(ssrc)
                if stream is not None:
                    stream.last_sr = ntp >> 16 & 0xFFFFFFFF
                    stream.last_sr_at = time.monotonic()
            elif kind == 206 and form == 1 and self.on_keyframe_request is not None:
                self.on_keyframe_request(int.from_bytes(body[4:8], "big"))
            elif kind == 205 and form == 1 and self.on_nack is not None:
                missing: list[int] = []
                for at in range(8, len(body), 4):
                    pid, mask = struct.unpack_from("!HH", body, at)
                    missing += [pid] + [(pid + 1 + b) & 0xFFFF for b in range(16) if mask >> b & 1]
                self.on_nack(int.from_bytes(body[4:8], "big"), missing)

    def _note_number(self, number: int, now: float) -> None:
        """As Chromium does: what is far behind the newest is late, and of no interest."""
        ahead = (number - self._newest_number + 0x8000 & 0xFFFF) - 0x8000
        if self._newest_number >= 0 and ahead < -MAX_LATE_NUMBERS:
            self.errors["transport-wide number far behind"] += 1
            return
        if self._newest_number < 0 or ahead > 0:
            self._newest_number = number
        self._arrivals.add(number, now)

    def report_arrivals(self, extension_id: int) -> None:
        """Answers transport-wide numbers every 100 ms, as browsers do."""
        self._number_id = extension_id
        self._arrivals_due()

    def _arrivals_due(self) -> None:
        if self._closed:
            return
        self._timers.append(self._loop.call_later(INTERVAL_S, self._arrivals_due))
        fci = self._arrivals.take_feedback()
        if fci is not None and self._tx is not None:
            self.send_rtcp(transport_feedback(1, 0, fci))

    def _report(self) -> None:
        if self._closed:
            return
        self._timers.append(self._loop.call_later(1.0, self._report))
        if self.receiving and self.streams and self._tx is not None:
            now = time.monotonic()
            blocks = b""
            streams = list(self.streams.items())[:20]
            for ssrc, s in streams:
                delay = int((now - s.last_sr_at) * 65536) if s.last_sr else 0
                lost = max(0, s.lost) & 0x7FFFFF
                blocks += struct.pack(
                    "!IIIIII", ssrc, lost, max(0, s.highest - 0x10000), 0, s.last_sr, delay
                )
            body = struct.pack("!I", 1) + blocks
            self.send_rtcp(struct.pack("!BBH", 0x80 | len(streams), 201, len(body) // 4) + body)

    def ignore_media(self, ssrcs: list[int], reports_per_s: float = 3.7) -> None:
        """Lets the kernel drop RTP and RTCP (classic BPF on the first payload byte) and reports
        on ``ssrcs`` as a browser does: a viewer that costs its own process almost nothing.

        What is not media is read with each report. Nobody waits for it: the sender of a datagram
        that wakes a process pays for that, which on a network it would not.
        """
        program = [
            (0x30, 0, 0, 8),  # ldb [8]: first byte after the UDP header
            (0x35, 0, 1, 128),  # jge 128
            (0x06, 0, 0, 0),  # ret 0: drop
            (0x06, 0, 0, 0xFFFF),  # ret all
        ]
        code = b"".join(struct.pack("HBBI", *i) for i in program)
        buffer = ctypes.create_string_buffer(code)
        filter_ = struct.pack("HxxxxxxP", len(program), ctypes.addressof(buffer))
        self._sock.setsockopt(socket.SOL_SOCKET, 26, filter_)  # SO_ATTACH_FILTER
        self.receiving = False
        self._loop.remove_reader(self._sock.fileno())
        self._blind(ssrcs, 1 / reports_per_s)

    def _blind(self, ssrcs: list[int], every_s: float) -> None:
        if self._closed:
            return
        self._readable()
        blocks = b"".join(struct.pack("!IIIIII", s, 0, 1000, 0, 0, 0) for s in ssrcs)
        self.send_rtcp(
            struct.pack("!BBHI", 0x80 | len(ssrcs), 201, 1 + len(blocks) // 4, 1)
            + blocks
            + receiver_estimated_maximum_bitrate(1, self.takes_bps, ssrcs)
        )
        self._timers = [t for t in self._timers if t.when() > time.monotonic()]
        self._timers.append(self._loop.call_later(every_s, self._blind, ssrcs, every_s))

    def request_keyframe(self, ssrc: int) -> None:
        self.send_rtcp(struct.pack("!BBHII", 0x81, 206, 2, 1, ssrc))

    def nack(self, ssrc: int, sequence: int) -> None:
        self.send_rtcp(struct.pack("!BBHIIHH", 0x81, 205, 3, 1, ssrc, sequence, 0))

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        for timer in self._timers:
            timer.cancel()
        self._loop.remove_reader(self._sock.fileno())
        self._sock.close()
