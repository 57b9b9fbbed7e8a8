"""Forwards RTP between peers. Knows routers, transports, producers and consumers; no lessons, no people."""
