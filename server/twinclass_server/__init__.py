"""Composition root: CLI, HTTP, WebSocket pump, adapters and metrics."""
