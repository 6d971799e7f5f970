"""Count the SQL statements of requests, in this process.

Reads raw requests as JSON from stdin, writes a list of counts to stdout. Each request is sent
twice; a count is [first, second], so that answers from memory show. BEGIN, COMMIT and savepoints do
not count.
"""

import io
import json
import sys
from typing import Any

import django

AROUND = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")


def main() -> None:
    django.setup()
    from commontime.config.wsgi import application

    print(
        json.dumps(
            [
                [count(application, raw.encode()), count(application, raw.encode())]
                for raw in json.load(sys.stdin)
            ]
        )
    )


def count(application: Any, raw: bytes) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as caught:
        answer = application(environ(raw), lambda status, headers: None)
        b"".join(answer)
    answer.close()
    return sum(not query["sql"].startswith(AROUND) for query in caught.captured_queries)


def environ(raw: bytes) -> dict[str, Any]:
    """Return the WSGI environment of a request as the load generator writes it."""
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    method, target, _ = first.split(" ")
    path, _, query = target.partition("?")
    environment = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.url_scheme": "http",
    }
    for line in lines:
        name, _, value = line.partition(": ")
        name = name.upper().replace("-", "_")
        environment[name if name in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{name}"] = value
    return environment


if __name__ == "__main__":
    main()
