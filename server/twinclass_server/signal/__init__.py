"""The WebSocket and the host of live lessons."""
