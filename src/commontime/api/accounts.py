"""Accounts: signing up and in, the profile, its settings and its sign-ins."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

import msgspec
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers

from commontime.accounts import actions, queries
from commontime.accounts.enums import Door
from commontime.accounts.models import UserSetting
from commontime.api import tokens
from commontime.api.base import Request, View, gone, listed, parse, require_match, shown
from commontime.api.fields import Flag, Text, UserId, Verbatim
from commontime.calendars import actions as calendar_actions
from commontime.calendars import queries as calendar_queries
from commontime.core.clients import client_of
from commontime.core.errors import InvalidInput, Unidentified

# Shapes -------------------------------------------------------------------------------------------------------------


class UserSerializer(serializers.Serializer[User]):
    username = Verbatim(help_text="Unique ignoring case; at most 150 characters.")
    email = Verbatim(help_text="Unique ignoring case.")
    first_name = Verbatim(required=False, allow_blank=True)
    last_name = Verbatim(required=False, allow_blank=True)
    password = Verbatim(write_only=True)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Read the fields; if one is refused, tell beside it what the action would refuse in the others."""
        try:
            return cast(dict[str, Any], super().to_internal_value(data))
        except serializers.ValidationError as refusal:
            names = {name: value for name in ("username", "email", "first_name", "last_name") if isinstance(value := data.get(name), str)}
            others = actions.problems_with(User(pk=getattr(self.instance, "pk", None), **names))
            known = {name: sentences for name, sentences in others.items() if name in names}
            raise serializers.ValidationError({**known, **cast(dict[str, Any], refusal.detail)}) from None

    def validate_password(self, value: str) -> str:
        # Without the names at hand this judges the password alone; the action judges it again beside them.
        try:
            actions.check_new_password(value, self.instance or User())
        except InvalidInput as refusal:
            raise serializers.ValidationError(refusal.fields["password"]) from None
        return value

    def create(self, validated_data: dict[str, Any]) -> User:
        return actions.sign_up(**validated_data)


class EditProfileSerializer(UserSerializer):
    username = Verbatim(required=False)
    email = Verbatim(required=False)
    password = Verbatim(required=False, allow_blank=True, write_only=True, help_text="Absent or empty: unchanged.")
    current_password = Verbatim(required=False, write_only=True, help_text="Needed when the sign-in is older than ten minutes.")

    def validate_password(self, value: str) -> str:
        return super().validate_password(value) if value else value

    def validate_email(self, value: str) -> str:
        try:
            actions.check_email(value.strip())
        except InvalidInput as refusal:
            raise serializers.ValidationError(refusal.detail) from None
        return value

    def update(self, instance: User, validated_data: dict[str, Any]) -> User:
        actions.edit_profile(instance, **validated_data)
        return instance


class LoginInput(serializers.Serializer[Any]):
    username = Verbatim(help_text="User name or e-mail address.")
    password = Verbatim()


class RefreshTokenInput(serializers.Serializer[Any]):
    refresh_token = Verbatim()


class DeleteInput(RefreshTokenInput):
    transfer_to = UserId(required=False, help_text="A participant of each of your calendars, who becomes their owner.")


class RefreshInput(serializers.Serializer[Any]):
    refresh = Verbatim()


class EmailInput(serializers.Serializer[Any]):
    email = Verbatim()


class NewPasswordInput(serializers.Serializer[Any]):
    password = Verbatim()


class SettingsInput(serializers.Serializer[Any]):
    time_zone = Text(longest=64, required=False)
    week_start = Text(longest=10, required=False)
    hour_cycle = Text(longest=3, required=False)
    locale = Text(longest=10, required=False)
    mail_invitations = Flag(required=False)
    mail_meetings = Flag(required=False)
    mail_reminders = Flag(required=False)
    who_may_add_me = Text(longest=10, required=False)
    muted = serializers.ListField(child=Text(longest=150), required=False, max_length=1000)


class Account(msgspec.Struct):
    id: int
    username: str
    email: str
    first_name: str
    last_name: str


class Settings(msgspec.Struct):
    time_zone: str
    week_start: str
    hour_cycle: str
    locale: str
    mail_invitations: bool
    mail_meetings: bool
    mail_reminders: bool
    who_may_add_me: str


class SettingsWithMuted(Settings):
    muted: list[str]


class Profile(Account):
    settings: Settings


class Pair(msgspec.Struct):
    access: str
    refresh: str


class LoginAnswer(Pair):
    user: Account


class EditAnswer(Profile, omit_defaults=True):
    access: str | None = None
    refresh: str | None = None


class Said(msgspec.Struct):
    detail: str


class FeedAddress(msgspec.Struct):
    url: str


class SignedInAt(msgspec.Struct):
    id: UUID
    current: bool
    door: str
    created_at: datetime
    used_at: datetime
    ends_at: datetime
    user_agent: str
    address: str


def account(user: User) -> dict[str, Any]:
    return {name: getattr(user, name) for name in Account.__struct_fields__}


def settings_of(setting: UserSetting) -> dict[str, Any]:
    return {name: getattr(setting, name) for name in Settings.__struct_fields__}


def settings_with_muted(user: User) -> dict[str, Any]:
    return {**settings_of(queries.setting_of(user)), "muted": queries.muted_by(user)}


def profile(user: User) -> dict[str, Any]:
    return {**account(user), "settings": settings_of(queries.setting_of(user))}


# Views --------------------------------------------------------------------------------------------------------------


class SignUp(View):
    public = True

    @extend_schema(request=UserSerializer, responses={201: Account})
    def post(self, request: Request) -> HttpResponse:
        serializer = UserSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        user = serializer.save(client=client_of(request.META))
        return shown(request, account(user), status=201, location="/profile/")


class Login(View):
    public = True

    @extend_schema(request=LoginInput, responses={200: LoginAnswer})
    def post(self, request: Request) -> HttpResponse:
        data = parse(LoginInput, request)
        opened = actions.sign_in(data["username"], data["password"], door=Door.API, client=client_of(request.META))
        return shown(request, {**tokens.pair_for(opened), "user": account(opened.user)})


class Token(View):
    public = True

    @extend_schema(request=LoginInput, responses={200: Pair})
    def post(self, request: Request) -> HttpResponse:
        data = parse(LoginInput, request)
        opened = actions.sign_in(data["username"], data["password"], door=Door.API, client=client_of(request.META))
        return shown(request, tokens.pair_for(opened))


class TokenRefresh(View):
    public = True

    @extend_schema(request=RefreshInput, responses={200: Pair})
    def post(self, request: Request) -> HttpResponse:
        refresh = tokens.read_refresh(parse(RefreshInput, request)["refresh"])
        return shown(request, tokens.pair_for(actions.renew_session(refresh.session_id, refresh.secret)))


class Logout(View):
    @extend_schema(request=RefreshTokenInput, responses={204: None})
    def post(self, request: Request) -> HttpResponse:
        actions.sign_out(request.user, _own_refresh(parse(RefreshTokenInput, request)))
        return gone()


class ProfileView(View):
    @extend_schema(responses={200: Profile})
    def get(self, request: Request) -> HttpResponse:
        return shown(request, profile(request.user))


class ProfileEdit(View):
    @extend_schema(request=EditProfileSerializer, responses={200: EditAnswer})
    def post(self, request: Request) -> HttpResponse:
        require_match(request, lambda: profile(request.user))
        serializer = EditProfileSerializer(instance=request.user, data=request.data)
        serializer.is_valid(raise_exception=True)
        opened = actions.edit_profile(request.user, by=request.user, client=client_of(request.META), **serializer.validated_data)
        return shown(request, {**profile(request.user), **(tokens.pair_for(opened) if opened else {})})


class ProfileDelete(View):
    @extend_schema(request=DeleteInput, responses={204: None})
    def post(self, request: Request) -> HttpResponse:
        data = parse(DeleteInput, request)
        session_id = _own_refresh(data)
        calendar_actions.delete_account(request.user, by=request.user, session_id=session_id, transfer_to=data.get("transfer_to"))
        return gone()


class ProfileSettings(View):
    @extend_schema(responses={200: SettingsWithMuted})
    def get(self, request: Request) -> HttpResponse:
        return shown(request, settings_with_muted(request.user))

    @extend_schema(request=SettingsInput, responses={200: SettingsWithMuted})
    def put(self, request: Request) -> HttpResponse:
        data = parse(SettingsInput, request)
        require_match(request, lambda: settings_with_muted(request.user))
        actions.change_settings(request.user, **data)
        return shown(request, settings_with_muted(request.user))

    patch = put


class ProfileExport(View):
    @extend_schema(responses={200: dict})
    def get(self, request: Request) -> HttpResponse:
        return shown(request, {**profile(request.user), **calendar_queries.everything_about(request.user)})


class FeedRotate(View):
    @extend_schema(request=None, responses={200: FeedAddress})
    def post(self, request: Request) -> HttpResponse:
        secret = actions.rotate_feed(request.user)
        return shown(request, {"url": f"{settings.COMMONTIME_BASE_URL}/feeds/{secret}.ics"})


class Sessions(View):
    @extend_schema(responses={200: list[SignedInAt]})
    def get(self, request: Request) -> HttpResponse:
        mine = queries.sign_in_of(request.user).id
        names = [name for name in SignedInAt.__struct_fields__ if name != "current"]
        return listed(
            request,
            ({"current": s.pk == mine, **{name: getattr(s, name) for name in names}} for s in queries.sessions_of(request.user)[:1000]),
        )


class SessionOne(View):
    @extend_schema(responses={204: None})
    def delete(self, request: Request, session_id: UUID) -> HttpResponse:
        actions.end_session(queries.session_for(request.user, session_id))
        return gone()


class PasswordReset(View):
    public = True

    @extend_schema(request=EmailInput, responses={200: Said})
    def post(self, request: Request) -> HttpResponse:
        actions.request_password_reset(parse(EmailInput, request)["email"], client=client_of(request.META))
        return shown(request, {"detail": "If an account has this address, a mail with a link is on its way. The link works for one hour."})


class PasswordResetConfirm(View):
    public = True

    @extend_schema(request=NewPasswordInput, responses={200: Said})
    def post(self, request: Request, uidb64: str, token: str) -> HttpResponse:
        data = parse(NewPasswordInput, request)
        actions.reset_password(uidb64, token, password=data["password"], client=client_of(request.META))
        return shown(request, {"detail": "Your password is changed and you are signed out everywhere. Sign in with the new one."})


def _own_refresh(data: dict[str, Any]) -> UUID:
    """Return the sign-in a refresh token in a body names; anything that is none is refused as input, since the caller is signed in."""
    try:
        return tokens.read_refresh(data["refresh_token"]).session_id
    except Unidentified:
        raise InvalidInput("This is not a valid refresh token.", field="refresh_token") from None
