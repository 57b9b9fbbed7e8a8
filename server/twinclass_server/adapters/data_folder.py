"""The data folder: one process at a time, its name, and the keys that sign tokens."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path

from twinclass_config import OperatorProblem
from twinclass_signaling.tokens import SigningKey, TokenKeys

_KEY_FILE = "token-keys.json"


class DataFolderHeld(OperatorProblem):
    """Another process works in this folder; the text says which."""

    code = "data_folder_held"


@dataclass(slots=True)
class DataFolder:
    """Paths below one folder, readable by the owner only."""

    path: Path
    _lock_descriptor: int | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.path = self.path.resolve()
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)

    @property
    def redis(self) -> Path:
        """Returns where Redis keeps its append-only file."""
        return self.path / "redis"

    @property
    def run(self) -> Path:
        """Returns where sockets of workers are."""
        return self.path / "run"

    @property
    def lessons(self) -> Path:
        """Returns where logs of closed lessons are."""
        return self.path / "lessons"

    @property
    def recordings(self) -> Path:
        """Returns where packages of recorded lessons are."""
        return self.path / "recordings"

    @property
    def exports(self) -> Path:
        """Returns where exported lessons are, each for a day."""
        return self.path / "exports"

    @property
    def attachments(self) -> Path:
        """Returns where files that belong to library entries are."""
        return self.path / "attachments"

    @property
    def proofs(self) -> Path:
        """Returns where receipts of deletions are."""
        return self.path / "proofs"

    @property
    def tls(self) -> Path:
        """Returns where the self-made certificate is."""
        return self.path / "tls"

    def turn_secret(self) -> str:
        """Returns what the relay (TURN) shares with us, made the first time it is asked for."""
        path = self.path / "turn-secret"
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_text("ascii").strip()
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            secret = secrets.token_urlsafe(32)
            file.write(secret + "\n")
        return secret

    def lock(self, note: str) -> None:
        """Takes the folder for this process's life; ``note`` tells others where it listens. Again:
        it is ours already.

        Raises:
            DataFolderHeld: another process has it.
        """
        if self._lock_descriptor is not None:
            return
        descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 400, 0).decode(errors="replace").strip()
            os.close(descriptor)
            raise DataFolderHeld(
                f"The data folder {self.path} is in use by {holder or 'another process'}. "
                "Stop it, or give another folder with --data."
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()}, {note}\n".encode(), 0)
        self._lock_descriptor = descriptor

    def holder(self) -> tuple[int, str] | None:
        """Returns the process that has the folder and what it noted; None: nobody."""
        try:
            descriptor = os.open(self.path / "lock", os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            # Shared and for a moment only: it keeps no server from starting.
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            note = os.pread(descriptor, 400, 0).decode(errors="replace").strip()
            words = note.replace(",", " ").split()
            pid = int(words[1]) if len(words) > 1 and words[1].isdecimal() else 0
            return pid, note
        finally:
            os.close(descriptor)
        return None

    def unlock(self) -> None:
        """Gives the folder up."""
        if self._lock_descriptor is not None:
            os.close(self._lock_descriptor)
            self._lock_descriptor = None

    def node_id(self) -> str:
        """Returns this installation's name among others on one Redis; made once."""
        path = self.path / "node-id"
        with contextlib.suppress(FileExistsError):
            _write_new(path, secrets.token_hex(8).encode())
        return path.read_text().strip()

    def read_keys(self) -> TokenKeys:
        """Returns the signing keys, making the first one when there is none.

        Raises:
            ValueError: the file is damaged.
        """
        path = self.path / _KEY_FILE
        with contextlib.suppress(FileExistsError):
            _write_new(path, _encode_keys([_new_key()]))
        return TokenKeys(_decode_keys(path.read_text()))

    def rotate_keys(self, keep: int = 2) -> str:
        """Adds a key that signs from now on, keeps ``keep`` older ones; returns its kid."""
        self.read_keys()
        path = self.path / _KEY_FILE
        key = _new_key()
        keys = [*_decode_keys(path.read_text())[-keep:], key]
        partial = path.with_suffix(".part")
        partial.unlink(missing_ok=True)
        _write_new(partial, _encode_keys(keys))
        partial.replace(path)
        return key.kid


class KeyFile:
    """Signing keys that follow their file: a rotation needs no restart."""

    def __init__(self, folder: DataFolder) -> None:
        self._folder = folder
        self._path = folder.path / _KEY_FILE
        self._keys = folder.read_keys()
        self._modified = self._path.stat().st_mtime_ns
        self._looked_at = time.monotonic()

    def current(self) -> TokenKeys:
        """Returns the keys; looks at the file at most once a second."""
        now = time.monotonic()
        if now - self._looked_at >= 1:
            self._looked_at = now
            with contextlib.suppress(OSError, ValueError):
                modified = self._path.stat().st_mtime_ns
                if modified != self._modified:
                    self._keys, self._modified = self._folder.read_keys(), modified
        return self._keys


def _new_key() -> SigningKey:
    return SigningKey(f"{int(time.time())}-{secrets.token_hex(3)}", secrets.token_bytes(32))


def _encode_keys(keys: list[SigningKey]) -> bytes:
    entries = [{"kid": key.kid, "secret": key.secret.hex()} for key in keys]
    return json.dumps({"keys": entries}, indent=1).encode()


def _decode_keys(text: str) -> list[SigningKey]:
    try:
        return [
            SigningKey(str(entry["kid"]), bytes.fromhex(entry["secret"]))
            for entry in json.loads(text)["keys"]
        ]
    except (KeyError, TypeError) as error:
        raise ValueError(f"{_KEY_FILE} is damaged") from error


def _write_new(path: Path, data: bytes) -> None:
    """Writes a file that must not exist; it never appears half written."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.link(partial, path)
    finally:
        partial.unlink(missing_ok=True)
