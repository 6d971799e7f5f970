"""Changing one's settings, muting people, and stopping mails."""

import secrets
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from commontime.accounts import queries
from commontime.accounts.enums import HourCycle, WeekStart, WhoMayAdd
from commontime.accounts.models import Mute, UserSetting
from commontime.core import clock, text
from commontime.core.errors import InvalidInput, Problems
from commontime.core.shapes import Fields

FEED_SECRET_BYTES = 32


def change_settings(user: User, **changes: Any) -> UserSetting:
    """Change the person's settings; what is absent stays."""
    setting = queries.setting_of(user)
    muted = changes.pop("muted", None)
    _check(changes)
    with transaction.atomic():
        _store(setting, **changes)
        if muted is not None:
            _set_muted(user, muted)
    return setting


def _check(changes: Fields) -> None:
    choices = {
        "week_start": WeekStart.values,
        "hour_cycle": HourCycle.values,
        "who_may_add_me": WhoMayAdd.values,
        "locale": list(dict(settings.LANGUAGES)),
    }
    problems = Problems()
    if "time_zone" in changes and changes["time_zone"] not in clock.zones():
        problems.add("time_zone", _("Give an IANA time zone, for example Europe/Berlin."))
    for field, values in choices.items():
        if field in changes:
            with problems.gather(field):
                text.check_choice(changes[field], values, field=field)
    problems.refuse()


def _store(setting: UserSetting, **changes: Any) -> None:
    """Write only these fields.

    The others may have changed since the setting was read, the keys of a new name among them.
    """
    for field, value in changes.items():
        setattr(setting, field, value)
    if setting._state.adding:
        setting.save()
    elif changes:
        setting.save(update_fields=list(changes))


def _set_muted(user: User, usernames: list[str]) -> None:
    senders = _others_called(usernames, user)
    Mute.objects.filter(user=user).exclude(sender_id__in=senders).delete()
    Mute.objects.bulk_create(
        [Mute(user=user, sender_id=sender_id) for sender_id in senders], ignore_conflicts=True
    )


def _others_called(usernames: list[str], user: User) -> list[int]:
    """Return the ids of other people with these usernames. Each must have one."""
    keys = [text.canonical(name) for name in usernames]
    others = {
        setting.username_key: setting.user_id
        for setting in UserSetting.objects.filter(username_key__in=keys).exclude(user=user)
    }
    for name, key in zip(usernames, keys, strict=True):
        if key not in others:
            raise InvalidInput(
                _("Nobody here is called “%(name)s”.") % {"name": name}, field="muted"
            )
    return list(others.values())


def stop_mails(stop: queries.Stop) -> None:
    """Stop what an unsubscribe link names. Stopping again changes nothing."""
    if stop.sender is not None:
        Mute.objects.bulk_create(
            [Mute(user_id=stop.user_id, sender=stop.sender)], ignore_conflicts=True
        )
        return
    setting = queries.setting_of(User.objects.get(pk=stop.user_id))
    _store(setting, **{stop.switch: False})


def rotate_feed(user: User) -> str:
    """Make a new secret feed address and return the secret.

    The old address stops working at once.
    """
    secret = secrets.token_urlsafe(FEED_SECRET_BYTES)
    setting = queries.setting_of(user)
    _store(setting, feed_hash=queries.hashed(secret))
    return secret
