"""A certified classifier in service: inputs over HTTP, and a log of their votes."""
