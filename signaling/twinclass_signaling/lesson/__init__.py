"""The live lesson: a deterministic core over an event log."""
