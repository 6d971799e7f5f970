"""The refusals of the middle. Each door translates them to HTTP in its errors.py."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.utils.translation import gettext as _


class Refusal(Exception):
    """A request that is not carried out.

    detail: a sentence for people, with the way out. code: a word for programs.
    """

    code = "refused"

    def __init__(self, detail: str, *, code: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or self.code


class NotFound(Refusal):
    """It does not exist, or is hidden from the asker."""

    code = "not_found"


class NotAllowed(Refusal):
    code = "not_allowed"


class InvalidInput(Refusal):
    """Bad input; `fields` maps each bad field to its sentences."""

    code = "invalid_input"

    def __init__(
        self,
        detail: str,
        *,
        field: str = "",
        fields: Mapping[str, Sequence[str]] | None = None,
        code: str = "",
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail, code=code)
        self.fields: dict[str, list[str]] = {
            name: list(texts) for name, texts in (fields or {}).items()
        }
        if field:
            self.fields.setdefault(field, [detail])
        self.extra = dict(extra or {})


class Problems:
    """Collects refusals by field. So people see them all at once."""

    def __init__(self) -> None:
        self.fields: dict[str, list[str]] = {}

    def add(self, field: str, sentence: str) -> None:
        self.fields.setdefault(field, []).append(sentence)

    @contextmanager
    def gather(self, field: str) -> Iterator[None]:
        """Collect a refusal of the block. Without a field it belongs to this one."""
        try:
            yield
        except InvalidInput as refusal:
            for name, sentences in (refusal.fields or {field: [refusal.detail]}).items():
                self.fields.setdefault(name, []).extend(sentences)

    def refuse(self) -> None:
        """Raise InvalidInput if there is any problem."""
        if self.fields:
            raise InvalidInput(_("Please correct the fields listed here."), fields=self.fields)


class Conflict(Refusal):
    """The request conflicts with the current state."""

    code = "conflict"

    def __init__(
        self, detail: str, *, code: str = "", extra: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(detail, code=code)
        self.extra = dict(extra or {})


class Unidentified(Refusal):
    """Nobody is signed in, or the credentials are wrong."""

    code = "invalid_credentials"


class TooMany(Refusal):
    """A limit is used up; `retry_after` in seconds."""

    code = "too_many_requests"

    def __init__(self, detail: str, *, retry_after: int, code: str = "") -> None:
        super().__init__(detail, code=code)
        self.retry_after = retry_after
