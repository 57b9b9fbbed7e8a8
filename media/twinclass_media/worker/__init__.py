"""The worker process: its messages, its state and its shell."""
