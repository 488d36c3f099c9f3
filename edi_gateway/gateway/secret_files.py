"""Secrets that stand in files or variables: passphrases, private keys, passwords towards partners.

What everybody on the machine may read is no secret: such a file is refused. Nothing here ever shows a value.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

SECRET_BYTES_MAX = 1024 * 1024
"""More than a key with its chain; a longer file is none of ours."""


class SecretError(Exception):
    """A secret cannot be had; the text says which file or variable, why, and what to do."""


def read_private(path: Path) -> bytes:
    """The content of a secret file, refused if everybody may read or write it. Raises SecretError."""
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & (stat.S_IROTH | stat.S_IWOTH):
                raise SecretError(f"{path}: everybody may read or write it; chmod 600 {path}")
            data = file.read(SECRET_BYTES_MAX + 1)
    except OSError as error:
        raise SecretError(f"{path}: cannot be read: {error.strerror}") from None
    if len(data) > SECRET_BYTES_MAX:
        raise SecretError(f"{path}: longer than {SECRET_BYTES_MAX} bytes; a file with the secret and nothing else")
    return data
