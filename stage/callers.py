"""Call the API, in whatever way requests are carried."""

from dataclasses import dataclass
from typing import Any, Self

PASSWORD = "correct horse battery"


@dataclass
class Caller:
    """`get`, `post`, … return the response; its `.data` is the JSON.

    A subclass sends: in process (tests/client.py) or over HTTP (servers.py). Once `sign_in` was
    called, requests carry the access token.
    """

    access: str = ""
    refresh: str = ""

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        raise NotImplementedError

    def sign_in(self, name: str, password: str = PASSWORD) -> Self:
        answer = self.post("/login/", {"username": name, "password": password})
        assert answer.status_code == 200, answer.content
        self.access, self.refresh = answer.data["access"], answer.data["refresh"]
        return self

    def get(self, path: str, **headers: str) -> Any:
        return self("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self("POST", path, body if body is not None else {}, **headers)

    def put(self, path: str, body: Any = None, **headers: str) -> Any:
        return self("PUT", path, body if body is not None else {}, **headers)

    def patch(self, path: str, body: Any = None, **headers: str) -> Any:
        return self("PATCH", path, body if body is not None else {}, **headers)

    def delete(self, path: str, body: Any = None, **headers: str) -> Any:
        return self("DELETE", path, body, **headers)
