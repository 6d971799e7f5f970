"""What is done later for accounts, and their letters."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.contrib.auth.tokens import PasswordResetTokenGenerator, default_token_generator
from django.core import signing
from django.db import connection
from django.tasks import task
from django.utils import translation
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from commontime.accounts import queries
from commontime.accounts.models import UserSetting
from commontime.accounts.names import full_name
from commontime.core import clock, limits, links
from commontime.core.errors import TooMany
from commontime.core.shapes import Fields
from commontime.core.text import canonical
from commontime.mail import letters, outbox
from commontime.mail.models import Message
from commontime.mail.writing import link


@task
def send_password_reset(email: str) -> None:
    """Post a reset mail to the account with this address.

    Only an active one gets it. Runs in the worker, so that asking takes the same time for every
    address.
    """
    key = canonical(email)
    for user in queries.accounts_named(email):
        if canonical(user.email) == key and user.is_active:
            try:
                limits.take("reset_mail", key)
            except TooMany:
                return
            _post_link(user, "password_reset", "reset")


def ask_to_confirm(user: User) -> None:
    """Post the mail that confirms the account's address."""
    _post_link(user, "confirm_address", "confirm")


def _post_link(user: User, kind: str, event: str) -> None:
    event = f"{event}:{user.pk}:{clock.now().timestamp()}"
    outbox.post([outbox.Notice(kind=kind, event=event, recipient=user.email, user_id=user.pk)])


@outbox.gate
def is_kept_back(people: Collection[int]) -> bool:
    """Keep back mails to or from accounts whose address is not confirmed.

    In a transaction, none of them can be confirmed before its end.
    """
    if not queries.confirms_addresses():
        return False
    unconfirmed = UserSetting.objects.filter(user__in=people, email_confirmed=False)
    if connection.in_atomic_block:
        unconfirmed = unconfirmed.select_for_update(no_key=True).order_by("pk")
    return bool(unconfirmed.values_list("pk")[:])


def tell_of_account_change(
    user: User, *, new_email: bool, new_password: bool, old_email: str
) -> None:
    """Post the security notices.

    A new address is told to the old one, a new password to the current address. An old address that
    was never confirmed is given as empty.
    """
    event = f"account:{user.pk}:{clock.now().timestamp()}"
    notices = []
    if new_email and old_email:
        payload: Fields = {"username": user.username, "new_email": user.email}
        notices.append(
            outbox.Notice(
                kind="email_changed",
                event=event,
                recipient=old_email,
                user_id=user.pk,
                payload=payload,
            )
        )
    if new_password and old_email:
        notices.append(
            outbox.Notice(
                kind="password_changed",
                event=event + ":password",
                recipient=old_email,
                user_id=user.pk,
                payload={"username": user.username},
            )
        )
    outbox.post(notices)


def say_goodbye(user: User) -> None:
    """Post the last mail. It carries all it says, since the account is gone when it is sent."""
    if user.email and queries.is_confirmed(user):
        outbox.post(
            [
                outbox.Notice(
                    kind="account_deleted",
                    event=f"goodbye:{user.pk}",
                    recipient=user.email,
                    payload={"username": user.username, "locale": queries.setting_of(user).locale},
                )
            ]
        )


def reset_url(user: User) -> str:
    """Return a link for a new password, to hand over."""
    return _reset_url(user, default_token_generator)


def mailed_reset_url(user: User) -> str:
    """Return the link for the mail alone: who uses it reads the mails to the account's address."""
    return _reset_url(user, queries.MAILED_RESETS)


def _reset_url(user: User, generator: PasswordResetTokenGenerator) -> str:
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    return link(f"/password_reset/{uid}/{generator.make_token(user)}/")


def confirm_url(setting: UserSetting) -> str:
    token = links.token(links.Kind.CONFIRMATION, setting.pk, setting.confirm_counter)
    return link(f"/app/confirm/{token}/")


# Who reads ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Recipient:
    """A person about to get a letter, with their address, zone and habits.

    switch: the setting that would have stopped it.
    """

    user: User
    address: str
    zone: ZoneInfo
    hour_cycle: str
    switch: str

    def local(self, moment: datetime) -> datetime:
        return moment.astimezone(self.zone)

    def reader(self, stop: str = "") -> letters.Reader:
        """Return a letter's reader, with the link that stops it."""
        stop = stop or self.switch
        url = stop_url(self.user, stop) if stop else ""
        return letters.Reader(full_name(self.user), self.hour_cycle, url)


def letter_to(
    message: Message, write: Callable[[Recipient], letters.Letter | None], *, switch: str = ""
) -> letters.Letter | None:
    """Return the letter in the language of its receiver.

    None if they are gone, or have switched such letters off.
    """
    user = message.user
    if user is None or not user.is_active:
        return None
    setting = queries.setting_of(user)
    if switch and not getattr(setting, switch):
        return None
    zone = ZoneInfo(setting.time_zone)
    with translation.override(setting.locale):
        return write(Recipient(user, message.recipient, zone, setting.hour_cycle, switch))


def stop_url(user: User, switch: str) -> str:
    """Return the address that ends one kind of mails.

    switch: a setting's name, or `mute:<id>` for the mails of one sender.
    """
    return link(f"/app/mail/stop/{signing.dumps([user.pk, switch], salt=queries.STOP_SALT)}/")


@outbox.composer("confirm_address", is_secret=True, is_kept_back=False)
def confirm_address_letter(message: Message) -> letters.Letter | None:
    """Write the mail, unless there is nothing left to confirm.

    The address and its counter are read at once: the link may reach no other address.
    """
    message.user = queries.active_user(message.user_id or 0)
    if message.user is None or message.user.email != message.recipient:
        return None
    setting = queries.setting_of(message.user)
    if setting.email_confirmed:
        return None
    return letter_to(
        message,
        lambda to: letters.confirm_address(
            to.reader(),
            username=to.user.username,
            email=to.user.email,
            url=confirm_url(setting),
            days=queries.DAYS_TO_CONFIRM,
        ),
    )


@outbox.composer("password_reset", is_secret=True, is_kept_back=False)
def password_reset_letter(message: Message) -> letters.Letter | None:
    """Write the mail, unless the account has another address by now: the link is made here."""
    return letter_to(
        message,
        lambda to: (
            letters.password_reset(
                to.reader(), username=to.user.username, url=mailed_reset_url(to.user)
            )
            if canonical(to.user.email) == canonical(to.address)
            else None
        ),
    )


@outbox.composer("password_changed")
def password_changed_letter(message: Message) -> letters.Letter | None:
    url = link("/app/password_reset/")
    return letter_to(
        message,
        lambda to: letters.password_changed(
            to.reader(), username=message.payload["username"], url=url
        ),
    )


@outbox.composer("email_changed", is_kept_back=False)
def email_changed_letter(message: Message) -> letters.Letter | None:
    return letter_to(message, lambda to: letters.email_changed(to.reader(), **message.payload))


@outbox.composer("account_deleted")
def account_deleted_letter(message: Message) -> letters.Letter:
    username = message.payload["username"]
    with translation.override(message.payload.get("locale", "en")):
        return letters.account_deleted(letters.Reader(username), username=username)
