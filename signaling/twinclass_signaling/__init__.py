"""The client protocol and the rules of the lesson and the desk. Knows no packets."""
