"""The signed tokens of the API (RFC 7519).

They count only as long as the session table agrees.
"""

from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID, uuid4

import jwt
from django.conf import settings

from commontime.accounts.actions.sign_ins import NewSignIn
from commontime.core import clock
from commontime.core.errors import Unidentified
from commontime.core.shapes import Fields

ALGORITHM = "HS256"
APART = 5  # seconds by which the clocks of two machines may differ
CLAIMS = ["token_type", "sid", "iat", "exp", "jti"]  # which every token has


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
    session, now = sign_in.session, clock.now()
    both = {"user_id": str(sign_in.user.pk), "sid": str(session.pk), "iat": now}
    access = both | {
        "exp": now + settings.ACCESS_LIFETIME,
        "epoch": session.epoch,
        "auth_time": int(session.created_at.timestamp()),
    }
    refresh = both | {"exp": session.ends_at, "secret": sign_in.refresh_secret}
    return {"access": _signed("access", access), "refresh": _signed("refresh", refresh)}


def _signed(kind: str, claims: Fields) -> str:
    claims |= {"token_type": kind, "jti": uuid4().hex}
    return jwt.encode(claims, settings.SECRET_KEY, ALGORITHM)


def read_access(raw: str) -> Access:
    """Read a valid access token; Unidentified refuses any other text."""
    access = _read_access(raw)
    if access.expires <= clock.now().timestamp():
        raise _refused()
    return access


@lru_cache(maxsize=1024)
def _read_access(raw: str) -> Access:
    # A valid signature stays valid, and checking it costs as much as all of Django around it. A
    # refusal is not cached.
    session_id, claims = _verified("access", raw)
    return Access(session_id, str(claims.get("epoch", "")), claims["exp"])


def read_refresh(raw: str) -> Refresh:
    session_id, claims = _verified("refresh", raw)
    return Refresh(session_id, str(claims.get("secret", "")))


def _verified(kind: str, raw: str) -> tuple[UUID, Fields]:
    try:
        claims = jwt.decode(
            raw, settings.SECRET_KEY, [ALGORITHM], {"require": CLAIMS}, leeway=APART
        )
        if claims["token_type"] == kind:
            return UUID(str(claims["sid"])), claims
    except (jwt.InvalidTokenError, ValueError):
        pass
    raise _refused()


def _refused() -> Unidentified:
    return Unidentified(
        "This token isn’t valid, or no longer. Sign in again or refresh it.",
        code="token_not_valid",
    )
