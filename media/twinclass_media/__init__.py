"""Forwards RTP between peers: routers, transports, producers, consumers; no lessons or people."""
