"""``python -m simplicert``, for launchers that start modules."""

from simplicert.cli import main

main()
