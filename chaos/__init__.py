"""Chaos: break the running product on purpose, and count what it loses. See docs/reliability.md."""
