"""A patient's id as a keyed hash: the same patient of one client can be told, and nobody without the key can say who."""

from __future__ import annotations

import hmac
import secrets
from pathlib import Path

import msgspec

from cds_service.ledger.private_file import make_private_file

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
    make_private_file(file, secrets.token_hex(KEY_BYTES).encode())
    key = file.read_bytes().strip()
    if len(key) < KEY_BYTES:
        raise ValueError(f"{file.name} holds no key of at least {KEY_BYTES} characters")
    return key
