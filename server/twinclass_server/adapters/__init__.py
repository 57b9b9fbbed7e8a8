"""Translations between the lesson and the outside: Redis, media workers, certificates."""
