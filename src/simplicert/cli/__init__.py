"""The `simplicert` command: one file a command; errors become one line here."""

from simplicert.cli.app import main

__all__ = ["main"]
