"""Recorder, lesson packages, the jobs that work on them, and the library.

A recorder is one more subscriber of the media plane, in a process of its own. What it writes is
a *package*: a folder (``package``) described by a manifest (``manifest``).
"""
