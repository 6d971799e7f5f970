"""Finds a group the time it has in common."""

__version__ = "0.2.0"
