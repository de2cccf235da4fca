"""The numerical searches that mechanisms share."""
