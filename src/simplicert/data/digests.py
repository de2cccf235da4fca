"""Digests of files, as anybody can compute them in a shell."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from simplicert.files import opened


def digest_of_bytes(*contents: bytes | np.ndarray) -> str:
    """SHA-256 in hexadecimal, of one after the other."""
    digest = hashlib.sha256()
    for content in contents:
        if isinstance(content, np.ndarray):
            digest.update(np.ascontiguousarray(content).data)
        else:
            digest.update(content)
    return digest.hexdigest()


def digest_of_files(root: Path, files: Iterable[Path]) -> str:
    """What ``cd root && sha256sum FILE... | sha256sum`` prints.

    As there, a file that is not there, such as a link to nowhere, is left out.
    """
    listing = hashlib.sha256()
    for file in files:
        try:
            with opened(file) as content:
                digest = hashlib.file_digest(content, "sha256").hexdigest()
        except FileNotFoundError:
            continue
        line = f"{digest}  {file.relative_to(root).as_posix()}\n"
        listing.update(os.fsencode(line))  # a name need not be UTF-8
    return listing.hexdigest()
