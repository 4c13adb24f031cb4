"""A patient's id as a keyed hash: the same patient of one client can be told, and nobody without the key can say who."""

from __future__ import annotations

import hmac
import os
import secrets
from pathlib import Path

import msgspec

KEY_BYTES = 32


class PatientHash(msgspec.Struct, frozen=True):
    """HMAC-SHA-256 under the site's key. Ids of different clients never meet: each EHR counts its own."""

    key: bytes

    def __call__(self, client: str, patient_id: str) -> str:
        """Return the hash as hexadecimal digits."""
        return hmac.digest(self.key, f"{client}\0{patient_id}".encode(), "sha256").hex()


def key_file_beside(database: Path) -> Path:
    """Return where the key of a SQLite ledger lies: fleck.db has fleck-ledger.key."""
    return database.with_name(f"{database.stem}-ledger.key")


def load_key(file: Path) -> bytes:
    """Return the key in the file, made at random if there is none; two processes that make one agree on it.

    Raises:
        OSError: the file can be neither read nor made.
        ValueError: it holds no key.
    """
    if not file.exists():
        made = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
        handle = os.open(made, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "w") as out:
            out.write(secrets.token_hex(KEY_BYTES))
            out.flush()
            os.fsync(handle)
        try:
            made.hardlink_to(file)
        except FileExistsError:
            pass
        finally:
            made.unlink()
    key = file.read_bytes().strip()
    if len(key) < KEY_BYTES:
        raise ValueError(f"{file.name} holds no key of at least {KEY_BYTES} characters")
    return key
