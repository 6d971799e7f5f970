"""Shapes of data that many rooms pass along."""

from typing import Any

Fields = dict[str, Any]  # values by the names of their fields
