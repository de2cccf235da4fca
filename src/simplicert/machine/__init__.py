"""The machine that a process runs on: its allocator, and its place among others."""
