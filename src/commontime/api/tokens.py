"""The signed tokens of the API (RFC 7519), made by SimpleJWT.

They count only as long as the session table agrees.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from uuid import UUID

from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, Token

from commontime.accounts.actions.sign_ins import NewSignIn
from commontime.core import clock
from commontime.core.errors import Unidentified


@dataclass(frozen=True, slots=True)
class Access:
    session_id: UUID
    epoch: str
    expires: int


@dataclass(frozen=True, slots=True)
class Refresh:
    session_id: UUID
    secret: str


def pair_for(sign_in: NewSignIn) -> dict[str, str]:
    """Return `{access, refresh}` for a sign-in just opened or renewed."""
    access = AccessToken()
    access["user_id"] = str(sign_in.user.pk)
    access["sid"] = str(sign_in.session.pk)
    access["epoch"] = sign_in.session.epoch
    access["auth_time"] = int(sign_in.session.created_at.timestamp())
    refresh = RefreshToken()
    refresh["user_id"] = str(sign_in.user.pk)
    refresh["sid"] = str(sign_in.session.pk)
    refresh["secret"] = sign_in.refresh_secret
    refresh.set_exp(lifetime=sign_in.session.ends_at - datetime.now(UTC))
    return {"access": str(access), "refresh": str(refresh)}


def read_access(raw: str) -> Access:
    """Read a valid access token; Unidentified refuses any other text."""
    access = _read_access(raw)
    if access.expires <= clock.now().timestamp() - api_settings.LEEWAY:
        raise _refused()
    return access


@lru_cache(maxsize=4096)
def _read_access(raw: str) -> Access:
    # A valid signature stays valid, and checking it costs as much as all of Django around it. A
    # refusal is not cached.
    token = _verified(AccessToken, raw)
    return Access(_session_id(token), str(token.get("epoch", "")), token["exp"])


def read_refresh(raw: str) -> Refresh:
    token = _verified(RefreshToken, raw)
    return Refresh(_session_id(token), str(token.get("secret", "")))


def _verified(kind: type[Token], raw: str) -> Token:
    try:
        return kind(raw)  # type: ignore[arg-type]
    except (TokenError, ValueError, TypeError):
        raise _refused() from None


def _session_id(token: Token) -> UUID:
    try:
        return UUID(str(token.get("sid", "")))
    except ValueError:
        raise _refused() from None


def _refused() -> Unidentified:
    return Unidentified(
        "This token isn’t valid, or no longer. Sign in again or refresh it.",
        code="token_not_valid",
    )
