"""Whether data fits into this machine's memory, asked before it is taken."""

import os

from simplicert.errors import InputError


def check_room(where: object, needed: int) -> None:
    """Refuse what all of the memory could not hold.

    Args:
        where: What needs it, for messages.
        needed: Bytes.

    Raises:
        InputError: It is more than this machine has.
    """
    if "SC_PHYS_PAGES" not in os.sysconf_names:
        return
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if needed > memory:
        raise InputError(
            f"{where} would take {needed / 2**30:,.1f} GiB of memory, and this machine "
            f"has {memory / 2**30:,.1f} in all: if the file is what you think it is, "
            "divide it into smaller ones"
        )
