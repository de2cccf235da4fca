"""Digests of files, as anybody can compute them in a shell."""

import hashlib
from collections.abc import Iterable
from pathlib import Path


def digest_of_files(root: Path, files: Iterable[Path]) -> str:
    """What ``cd root && sha256sum FILE... | sha256sum`` prints."""
    listing = hashlib.sha256()
    for file in files:
        with file.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        listing.update(f"{digest}  {file.relative_to(root).as_posix()}\n".encode())
    return listing.hexdigest()
