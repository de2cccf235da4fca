"""Folders of images: SPLIT/CLASS/FILE, CLASS/FILE, or one folder without classes."""

from dataclasses import dataclass
from pathlib import Path

from simplicert.data.conversions import image_suffixes
from simplicert.data.encoded import EncodedImages
from simplicert.data.form import Form
from simplicert.data.sorted_files import FoundFiles, SortedFiles
from simplicert.files import printable, regular

_IMAGES = SortedFiles(kind="images", one="an image", suffixes=image_suffixes)


def _open(path: Path, *, split: str) -> EncodedImages:
    """The images of one split; labels number the classes of all splits."""
    return _encoded(_IMAGES.find(path, split=split))


def _open_flat(path: Path, *, split: str) -> EncodedImages:
    """The images of one folder, without labels."""
    return _encoded(_IMAGES.find_flat(path, split=split))


def _encoded(found: FoundFiles) -> EncodedImages:
    fetch = _Files(found.files)
    return EncodedImages(
        name=found.name,
        split=found.split,
        class_names=found.class_names,
        labels=found.labels,
        rows=len(found.files),
        fetch=fetch,
        locate=fetch.locate,
        fingerprint=found.fingerprint,
        notes=found.notes,
    )


@dataclass(frozen=True)
class _Files:
    files: tuple[Path, ...]

    def __call__(self, row: int) -> bytes:
        return regular(self.files[row]).read_bytes()

    def locate(self, row: int) -> str:
        return printable(self.files[row])


folder = Form(
    name="a folder of images",
    looks_for=_IMAGES.layout,
    recognises=_IMAGES.are_sorted,
    open=_open,
    lacks=_IMAGES.lacks,
)

flat = Form(
    name="images in one folder",
    looks_for="a folder of images, without folders in it",
    recognises=_IMAGES.are_flat,
    open=_open_flat,
    below=False,
)
