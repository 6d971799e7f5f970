"""Where `make demo` refuses, and that it makes all or nothing."""

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from commontime.jobs.management.commands import demo
from commontime.mail.models import Message
from tests import build

pytestmark = pytest.mark.django_db


@pytest.mark.usefixtures("quick_passwords")
def test_it_makes_all_or_nothing(monkeypatch):
    def fails(self: demo.Demo) -> None:
        raise RuntimeError

    monkeypatch.setattr(demo.Demo, "rehearsals", fails)

    with pytest.raises(RuntimeError):
        demo.make()

    assert not User.objects.exists()
    assert not Message.objects.exists()


def test_other_peoples_data_is_left_alone():
    build.user("mina")

    with pytest.raises(
        CommandError, match=r"This database already has accounts\. Run the demo somewhere else"
    ):
        call_command("demo")

    assert list(User.objects.values_list("username", flat=True)) == ["mina"]


def test_it_stays_where_nobody_else_comes(settings):
    settings.OTHERS_COME = True

    with pytest.raises(CommandError, match="The demo’s password is public"):
        call_command("demo")

    assert not User.objects.exists()
