"""Accounts: signing up and in, the profile, its settings and its sign-ins."""

from typing import Annotated, Any, cast
from uuid import UUID

import msgspec
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers

from commontime.accounts import queries
from commontime.accounts.actions import addresses, names, passwords, profiles, sign_ins
from commontime.accounts.actions import settings as account_settings
from commontime.accounts.enums import Door, HourCycle, WeekStart, WhoMayAdd
from commontime.accounts.models import UserSetting
from commontime.api import tokens
from commontime.api.answers import json_answer, json_list, no_content
from commontime.api.body import parse
from commontime.api.docs import means
from commontime.api.fields import Flag, Moment, Text, UserId, Verbatim
from commontime.api.request import Request
from commontime.api.view import View
from commontime.calendars import actions as calendar_actions
from commontime.core.clients import Client, client_of
from commontime.core.errors import InvalidInput, Unidentified
from commontime.core.shapes import Fields

# Shapes -------------------------------------------------------------------------------------------


WHO_MAY_ADD = (
    "Who can add you to a calendar without asking: `anyone`, or only your `contacts`. The others "
    "have to invite you."
)
NAMES = ("username", "email", "first_name", "last_name")


class UserSerializer(serializers.Serializer[User]):
    username = Verbatim(help_text="At most 150 characters, and unique whatever its case.")
    email = Verbatim(help_text="Unique whatever its case.")
    first_name = Verbatim(required=False, allow_blank=True)
    last_name = Verbatim(required=False, allow_blank=True)
    password = Verbatim(write_only=True)

    def to_internal_value(self, data: Any) -> Fields:
        """Read the fields; when one is refused, say also what the action would refuse."""
        try:
            return cast(Fields, super().to_internal_value(data))
        except serializers.ValidationError as refusal:
            detail = cast(Fields, refusal.detail)
            raise serializers.ValidationError({**self._refused_names(data), **detail}) from None

    def _refused_names(self, data: Any) -> dict[str, list[str]]:
        typed = {name: data[name] for name in NAMES if isinstance(data.get(name), str)}
        user = User(pk=getattr(self.instance, "pk", None), **typed)
        refused = names.problems_with(user, client=self.context.get("client", Client()))
        return {name: sentences for name, sentences in refused.items() if name in typed}

    def validate_password(self, value: str) -> str:
        # This judges the password alone; the action judges it again beside the names.
        try:
            passwords.check_new_password(value, self.instance or User())
        except InvalidInput as refusal:
            raise serializers.ValidationError(refusal.fields["password"]) from None
        return value


class SignUpInput(UserSerializer):
    invitation = Verbatim(
        required=False,
        allow_blank=True,
        help_text=(
            "Where only invited people sign up: the token that ends the link of an invitation. It "
            "makes one account."
        ),
    )

    def to_internal_value(self, data: Any) -> Fields:
        # Who may not sign up learns nothing else, such as which names are taken.
        token = data.get("invitation")
        calendar_actions.require_sign_up(token if isinstance(token, str) else "")
        return super().to_internal_value(data)

    def create(self, validated_data: Fields) -> User:
        return calendar_actions.sign_up(**validated_data)


class EditProfileSerializer(UserSerializer):
    username = Verbatim(required=False)
    email = Verbatim(required=False)
    password = Verbatim(
        required=False,
        allow_blank=True,
        write_only=True,
        help_text="Unchanged if it is missing or empty.",
    )
    current_password = Verbatim(
        required=False,
        write_only=True,
        help_text="Needed ten minutes after signing in. If it is sent, it must be right.",
    )

    def validate_password(self, value: str) -> str:
        return super().validate_password(value) if value else value

    def validate_email(self, value: str) -> str:
        try:
            names.check_email(value.strip())
        except InvalidInput as refusal:
            raise serializers.ValidationError(refusal.detail) from None
        return value

    def update(self, instance: User, validated_data: Fields) -> User:
        profiles.edit_profile(instance, **validated_data)
        return instance


class LoginInput(serializers.Serializer[Any]):
    username = Verbatim(help_text="Username or email address.")
    password = Verbatim()


class RefreshTokenInput(serializers.Serializer[Any]):
    refresh_token = Verbatim()


class DeleteInput(RefreshTokenInput):
    transfer_to = UserId(
        required=False,
        help_text="The user id of somebody in all your calendars, who becomes their owner.",
    )


class RefreshInput(serializers.Serializer[Any]):
    refresh = Verbatim()


class ConfirmInput(serializers.Serializer[Any]):
    token = Verbatim(help_text="What ends the link of the email.")


class EmailInput(serializers.Serializer[Any]):
    email = Verbatim()


class NewPasswordInput(serializers.Serializer[Any]):
    password = Verbatim()


class SettingsInput(serializers.Serializer[Any]):
    time_zone = Text(longest=64, required=False)
    week_start = serializers.ChoiceField(WeekStart.choices, required=False)
    hour_cycle = serializers.ChoiceField(HourCycle.choices, required=False)
    locale = Text(
        longest=10, required=False, help_text="The language of pages and emails: en, de or fr."
    )
    mail_invitations = Flag(required=False)
    mail_meetings = Flag(required=False)
    mail_reminders = Flag(required=False)
    who_may_add_me = serializers.ChoiceField(
        WhoMayAdd.choices, required=False, help_text=WHO_MAY_ADD
    )
    muted = serializers.ListField(
        child=Text(longest=150),
        required=False,
        max_length=1000,
        help_text="Usernames of people whose emails you don't want.",
    )


class Account(msgspec.Struct):
    id: int
    username: str
    email: str
    first_name: str
    last_name: str


class Settings(msgspec.Struct):
    time_zone: Annotated[str, means("An IANA name.")]
    week_start: WeekStart
    hour_cycle: Annotated[HourCycle, means("`h23` like 19:30, `h12` like 7:30 pm.")]
    locale: Annotated[str, means("The language of pages and emails: en, de or fr.")]
    mail_invitations: Annotated[bool, means("Whether you get emails about invitations.")]
    mail_meetings: Annotated[bool, means("Whether you get emails about meetings.")]
    mail_reminders: Annotated[bool, means("Whether you get reminders by email.")]
    who_may_add_me: Annotated[WhoMayAdd, means(WHO_MAY_ADD)]


class SettingsWithMuted(Settings):
    muted: Annotated[list[str], means("Usernames of people whose emails you don't get.")]


class Profile(Account):
    email_confirmed: Annotated[
        bool, means("Until it is, emails to you and because of you are kept back.")
    ]
    settings: Settings


class Export(Profile):
    """Everything stored about you, without secrets (GDPR, articles 15 and 20)."""

    exported_at: Moment
    sessions: list[Fields]
    muted: list[str]
    contacts: list[Fields]
    owned_calendars: list[Fields]
    participations: list[Fields]
    non_busy_times: list[Fields]
    suggestions: list[Fields]
    invitations_received: list[Fields]
    invitations_sent: list[Fields]
    emails: Annotated[list[Fields], means("Those kept for you, where there is no mail server.")]


class Pair(msgspec.Struct):
    access: Annotated[str, means("Works for ten minutes, as `Authorization: Bearer`.")]
    refresh: Annotated[str, means("Works once, at /token/refresh/.")]


class LoginAnswer(Pair):
    user: Account


class EditAnswer(Profile, omit_defaults=True):
    """The account; with fresh tokens if the change ended your sign-ins."""

    access: str | None = None
    refresh: str | None = None


class Said(msgspec.Struct):
    detail: str


class FeedAddress(msgspec.Struct):
    url: str


class SignedInAt(msgspec.Struct):
    id: UUID
    current: Annotated[bool, means("Whether this request came with it.")]
    door: Annotated[Door, means("`api`, or `web` for the pages.")]
    created_at: Moment
    used_at: Annotated[Moment, means("When it was last renewed.")]
    ends_at: Annotated[Moment, means("When it ends unless it is renewed.")]
    user_agent: str
    address: Annotated[str, means("The network address it was opened from.")]


def account(user: User) -> Fields:
    return {name: getattr(user, name) for name in Account.__struct_fields__}


def settings_of(setting: UserSetting) -> Fields:
    return {name: getattr(setting, name) for name in Settings.__struct_fields__}


def settings_with_muted(user: User) -> Fields:
    return {**settings_of(queries.setting_of(user)), "muted": queries.muted_by(user)}


def profile(user: User) -> Fields:
    return {
        **account(user),
        "email_confirmed": queries.is_confirmed(user),
        "settings": settings_of(queries.setting_of(user)),
    }


# Views --------------------------------------------------------------------------------------------


class SignUp(View):
    public = True

    @extend_schema(
        request=SignUpInput,
        responses={
            201: Account,
            403: "invitation_needed sign_up_closed",
            429: "too_many_requests",
        },
    )
    def post(self, request: Request) -> HttpResponse:
        """Sign up.

        The operator decides who can: everybody, people with an `invitation`, or nobody. A refusal
        lists everything wrong with the input at once. The answer never holds the password.
        """
        serializer = SignUpInput(data=request.data, context={"client": client_of(request.META)})
        serializer.is_valid(raise_exception=True)
        user = serializer.save(client=client_of(request.META))
        return json_answer(request, account(user), status=201, location="/profile/")


class Login(View):
    public = True

    @extend_schema(
        request=LoginInput,
        responses={200: LoginAnswer, 401: "invalid_credentials", 429: "too_many_requests"},
    )
    def post(self, request: Request) -> HttpResponse:
        """Sign in with your username or email address.

        Every failure is the same 401. After ten wrong tries for one name from one network, the
        answer is 429, whatever the password. They count for the account's other name, too. That one
        answers 401 even to the right password, since 429 would show whose address it is. So does
        a network from which nobody has signed in to the account, after many wrong tries elsewhere:
        see SECURITY.md. Then ask for a reset link.
        """
        data = parse(LoginInput, request)
        opened = sign_ins.sign_in(
            data["username"], data["password"], door=Door.API, client=client_of(request.META)
        )
        return json_answer(request, {**tokens.pair_for(opened), "user": account(opened.user)})


class Token(View):
    public = True

    @extend_schema(
        request=LoginInput,
        responses={200: Pair, 401: "invalid_credentials", 429: "too_many_requests"},
    )
    def post(self, request: Request) -> HttpResponse:
        """Get a pair of tokens for a name and a password, as from /login/."""
        data = parse(LoginInput, request)
        opened = sign_ins.sign_in(
            data["username"], data["password"], door=Door.API, client=client_of(request.META)
        )
        return json_answer(request, tokens.pair_for(opened))


class TokenRefresh(View):
    public = True

    @extend_schema(
        request=RefreshInput,
        responses={200: Pair, 401: "token_not_valid refreshed_meanwhile"},
    )
    def post(self, request: Request) -> HttpResponse:
        """Exchange a refresh token for a new pair.

        Each works once. One that is used again ends the whole sign-in: somebody may have a copy.
        Only the last one, used twice within ten seconds from one network, ends nothing: 401
        `refreshed_meanwhile`.
        """
        refresh = tokens.read_refresh(parse(RefreshInput, request)["refresh"])
        sign_in = sign_ins.renew_session(
            refresh.session_id, refresh.secret, client=client_of(request.META)
        )
        return json_answer(request, tokens.pair_for(sign_in))


class Logout(View):
    @extend_schema(request=RefreshTokenInput, responses={204: None})
    def post(self, request: Request) -> HttpResponse:
        """Sign out: end the sign-in of this refresh token.

        Its access tokens end at once. A sign-in that has already ended answers 204 too.
        """
        sign_ins.sign_out(request.user, _own_refresh(parse(RefreshTokenInput, request)))
        return no_content()


class ProfileView(View):
    @extend_schema(responses={200: Profile})
    def get(self, request: Request) -> HttpResponse:
        """Show your account and settings."""
        return json_answer(request, profile(request.user))


class ProfileEdit(View):
    single = True
    remembers = False  # The answer may hold fresh tokens, and the same edit changes nothing.

    def present(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        return json_answer(request, profile(request.user))

    @extend_schema(
        request=EditProfileSerializer,
        responses={200: EditAnswer, 403: "reauth_required", 429: "too_many_requests"},
    )
    def post(self, request: Request) -> HttpResponse:
        """Change your account; missing fields stay unchanged.

        A new password or email address needs `current_password`, or a sign-in of the last ten
        minutes. It ends all other sign-ins and is told to the old address, and the answer has a
        fresh pair of tokens. A new address must be confirmed by the link of an email to it. An
        Idempotency-Key is ignored: the same edit again changes nothing.
        """
        serializer = EditProfileSerializer(instance=request.user, data=request.data)
        serializer.is_valid(raise_exception=True)
        opened = profiles.edit_profile(
            request.user,
            by=request.user,
            sign_in=request.auth.sign_in,
            client=client_of(request.META),
            **serializer.validated_data,
        )
        return json_answer(
            request, profile(request.user), beside=tokens.pair_for(opened) if opened else None
        )


class ConfirmEmailAgain(View):
    @extend_schema(
        request=None,
        responses={202: Said, 409: "already_confirmed", 429: "too_many_requests"},
    )
    def post(self, request: Request) -> HttpResponse:
        """Have the email sent again that confirms your address.

        This is limited to 3 an hour.
        """
        addresses.send_confirmation(request.user, by=request.user)
        return json_answer(request, {"detail": "The email is on its way."}, status=202)


class ConfirmEmail(View):
    public = True

    @extend_schema(
        request=ConfirmInput, responses={200: Said, 404: "not_found", 409: "link_expired"}
    )
    def post(self, request: Request) -> HttpResponse:
        """Confirm an email address by the link of the email to it.

        It works for seven days. Then the emails go out that were kept back until now.
        """
        addresses.confirm_address(parse(ConfirmInput, request)["token"])
        return json_answer(request, {"detail": "Your email address is confirmed."})


class ProfileDelete(View):
    remembers = False  # The answer would be deleted with its account.

    @extend_schema(request=DeleteInput, responses={204: None})
    def post(self, request: Request) -> HttpResponse:
        """Delete your account for good.

        Your own refresh token confirms it. Your calendars are deleted, and their people are told,
        unless you hand them over with `transfer_to`.
        """
        data = parse(DeleteInput, request)
        session_id = _own_refresh(data)
        calendar_actions.delete_account(
            request.user,
            by=request.user,
            session_id=session_id,
            sign_in=request.auth.sign_in,
            transfer_to=data.get("transfer_to"),
        )
        return no_content()


class ProfileSettings(View):
    single = True

    @extend_schema(responses={200: SettingsWithMuted})
    def get(self, request: Request) -> HttpResponse:
        """Show your settings, and the usernames of people you have muted."""
        return json_answer(request, settings_with_muted(request.user))

    @extend_schema(request=SettingsInput, responses={200: SettingsWithMuted})
    def put(self, request: Request) -> HttpResponse:
        """Change your settings; missing fields stay unchanged."""
        data = parse(SettingsInput, request)
        account_settings.change_settings(request.user, **data)
        return json_answer(request, settings_with_muted(request.user))

    patch = put


class ProfileExport(View):
    @extend_schema(responses={200: Export})
    def get(self, request: Request) -> HttpResponse:
        """Export everything that is stored about you."""
        return json_answer(
            request,
            {**profile(request.user), **calendar_actions.accounts.export(request.user)},
        )


class FeedRotate(View):
    remembers = False  # The address is a secret.

    @extend_schema(request=None, responses={200: FeedAddress})
    def post(self, request: Request) -> HttpResponse:
        """Get a new secret address for your calendar feed; the old one stops working.

        The feed itself comes with a later version. Until then its address answers 404, and from
        then on it works. An Idempotency-Key is ignored, since the secret is not stored: each call
        makes a new one.
        """
        secret = account_settings.rotate_feed(request.user)
        return json_answer(request, {"url": f"{settings.COMMONTIME_BASE_URL}/feeds/{secret}.ics"})


class Sessions(View):
    @extend_schema(responses={200: list[SignedInAt]})
    def get(self, request: Request) -> HttpResponse:
        """List where you are signed in, the last used first."""
        mine = request.auth.sign_in.id
        fields = [name for name in SignedInAt.__struct_fields__ if name != "current"]
        return json_list(
            (
                {"current": s.pk == mine, **{name: getattr(s, name) for name in fields}}
                for s in queries.sessions_of(request.user)[:1000]
            ),
        )


class SessionOne(View):
    @extend_schema(responses={204: None})
    def delete(self, request: Request, session_id: UUID) -> HttpResponse:
        """End one of your sign-ins."""
        sign_ins.end_session(queries.session_for(request.user, session_id))
        return no_content()


class PasswordReset(View):
    public = True

    @extend_schema(request=EmailInput, responses={200: Said})
    def post(self, request: Request) -> HttpResponse:
        """Ask for an email with a link to choose a new password.

        The answer is the same whether or not anybody has this address.
        """
        passwords.request_password_reset(
            parse(EmailInput, request)["email"], client=client_of(request.META)
        )
        return json_answer(
            request,
            {
                "detail": (
                    "If an account has this address, an email with a link is on its way. The "
                    "link works for one hour."
                )
            },
        )


class PasswordResetConfirm(View):
    public = True

    @extend_schema(
        request=NewPasswordInput,
        responses={200: Said, 400: "invalid_or_used_token", 429: "too_many_requests"},
    )
    def post(self, request: Request, uidb64: str, token: str) -> HttpResponse:
        """Choose a new password with the link of a reset email.

        The link works once and for one hour. Every sign-in of the account ends.
        """
        data = parse(NewPasswordInput, request)
        passwords.reset_password(
            uidb64, token, password=data["password"], client=client_of(request.META)
        )
        return json_answer(
            request,
            {
                "detail": (
                    "Your password has been changed, and you’ve been signed out everywhere. "
                    "Sign in with the new one."
                )
            },
        )


def _own_refresh(data: Fields) -> UUID:
    """Return the sign-in of the refresh token in a body.

    What is no refresh token is refused as input, since the caller is signed in.
    """
    try:
        return tokens.read_refresh(data["refresh_token"]).session_id
    except Unidentified:
        raise InvalidInput("This is not a valid refresh token.", field="refresh_token") from None
