"""A search in certified balls for another class, and the test of what it finds."""

from simplicert.audit.attack.run import attack as attack
