"""ICE-lite, DTLS-SRTP and sockets. The only package that touches WebRTC libraries."""
