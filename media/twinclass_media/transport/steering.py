"""One UDP port as two sockets: media on one, STUN and RTCP on the other.

Each wake of the process costs more than most datagrams are worth, and below a hundred viewers
most wakes would be for one viewer's report. The kernel's port sharing (SO_REUSEPORT) lets a
classic BPF program choose the socket of each datagram by its first bytes (RFC 7983, RFC 5761),
so that reports can wait until something more urgent comes.
"""

from __future__ import annotations

import ctypes
import logging
import socket
import struct

from twinclass_media.transport.sockets import bound_socket

log = logging.getLogger(__name__)

#: Linux: asm-generic/socket.h.
SO_ATTACH_REUSEPORT_CBPF = 51
#: linux/bpf_common.h: byte loads at a constant, comparisons with a constant, return.
_LOAD_BYTE, _JUMP_IF_GE, _JUMP_IF_GT, _RETURN = 0x30, 0x35, 0x25, 0x06
MEDIA, CONTROL = 0, 1

#: (code, jump if true, jump if false, constant); jumps count from the next instruction. A
#: datagram too short for a load ends the program with 0: media, where it is counted.
_PROGRAM = (
    (_LOAD_BYTE, 0, 0, 0),
    (_JUMP_IF_GE, 0, 5, 4),  # below 4: STUN
    (_JUMP_IF_GE, 0, 5, 128),  # below 128: DTLS and what is not ours
    (_JUMP_IF_GT, 4, 0, 191),
    (_LOAD_BYTE, 0, 0, 1),
    (_JUMP_IF_GE, 0, 2, 192),  # payload types 192..223 are RTCP
    (_JUMP_IF_GT, 1, 0, 223),
    (_RETURN, 0, 0, CONTROL),
    (_RETURN, 0, 0, MEDIA),
)


def steered_sockets(host: str, port: int) -> tuple[socket.socket, socket.socket | None]:
    """Returns the socket of media and, where the kernel can steer, that of STUN and RTCP.

    Raises:
        OSError: the address is not ours, or the port is taken.
    """
    # Without sharing first: a port that another process shares must be busy for us.
    probe = bound_socket(socket.SOCK_DGRAM, host, port)
    bound_port = probe.getsockname()[1]
    probe.close()
    media = bound_socket(socket.SOCK_DGRAM, host, bound_port, shared=True)
    try:
        control = bound_socket(socket.SOCK_DGRAM, host, bound_port, shared=True)
    except OSError:
        media.close()
        raise
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *line) for line in _PROGRAM))
    program = struct.pack("HxxxxxxP", len(_PROGRAM), ctypes.addressof(code))
    try:
        media.setsockopt(socket.SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, program)
    except OSError as error:
        log.info("no steering of datagrams here: %s", error)
        control.close()
        return media, None
    return media, control
