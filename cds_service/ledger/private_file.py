"""Files that only their owner reads."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path


def make_private_file(file: Path, content: bytes = b"") -> None:
    """Make a file that appears with all its content at once, unless it is there already.

    It is closed before it has its name: closing any handle of a SQLite file would drop the locks that this process holds
    on it.

    Raises:
        OSError: it cannot be made.
    """
    if file.exists():
        return
    made = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    handle = os.open(made, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(handle)
        with suppress(FileExistsError):
            file.hardlink_to(made)
    finally:
        made.unlink()
