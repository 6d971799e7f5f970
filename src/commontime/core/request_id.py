"""The id of the request that this thread answers: log lines, answers and error pages name it.

It stays until the thread's next request, because Django logs a failure after all middleware.
"""

import secrets
from contextvars import ContextVar

current: ContextVar[str] = ContextVar("request_id", default="")


def new() -> str:
    return secrets.token_hex(8)
