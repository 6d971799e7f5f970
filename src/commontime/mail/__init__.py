"""The outbox and the letters. The rooms above post notices; this room has them composed when they
are due, and sends them.
"""
