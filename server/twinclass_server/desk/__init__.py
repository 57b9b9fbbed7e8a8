"""The evening desk: who is connected, what they are told, and what is kept."""
