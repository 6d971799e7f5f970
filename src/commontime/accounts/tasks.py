"""What is done later for accounts, and their letters."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.core import signing
from django.tasks import task
from django.utils import translation
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from commontime.accounts import queries
from commontime.accounts.names import full_name
from commontime.core import clock, limits
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
            now = clock.now()
            outbox.post(
                [
                    outbox.Notice(
                        kind="password_reset",
                        event=f"reset:{user.pk}:{now.timestamp()}",
                        recipient=user.email,
                        user_id=user.pk,
                    )
                ]
            )


def tell_of_account_change(
    user: User, *, new_email: bool, new_password: bool, old_email: str
) -> None:
    """Post the security notices.

    A new address is told to the old one, a new password to the current address.
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
    if user.email:
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
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    return link(f"/password_reset/{uid}/{default_token_generator.make_token(user)}/")


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


@outbox.composer("password_reset", is_secret=True)
def password_reset_letter(message: Message) -> letters.Letter | None:
    """Write the mail, unless the account has another address by now: the link is made here."""
    return letter_to(
        message,
        lambda to: (
            letters.password_reset(to.reader(), username=to.user.username, url=reset_url(to.user))
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


@outbox.composer("email_changed")
def email_changed_letter(message: Message) -> letters.Letter | None:
    return letter_to(message, lambda to: letters.email_changed(to.reader(), **message.payload))


@outbox.composer("account_deleted")
def account_deleted_letter(message: Message) -> letters.Letter:
    username = message.payload["username"]
    with translation.override(message.payload.get("locale", "en")):
        return letters.account_deleted(letters.Reader(username), username=username)
