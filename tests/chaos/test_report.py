"""The chaos report says what was tried, and nothing holds that was not."""

import os
import tarfile
from pathlib import Path

import pytest

from chaos import __main__ as report
from chaos.kinds import KINDS, Found
from chaos.mail import Mail, faults_of
from chaos.outages import full, small_disk
from chaos.soak import growth_of
from chaos.upgrades import is_whole
from stage.sink import Received

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"


# The table ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "holds"),
    [
        (Found({"kills": 3}), True),
        (Found({"kills": 3}, ["one write is lost"]), False),
        (Found({"kills": 3}, late=["ready after 9 s, not within 3 s"]), False),
        (Found({"kills": 3, "mails": 0}), False),
        (Found(), False),
    ],
)
def test_a_kind_holds_if_something_was_tried_and_nothing_went_wrong(found, holds):
    assert found.holds == holds


def test_a_new_row_takes_the_place_of_the_older_one():
    page = "Before\n\n<!-- rows -->\n<!-- end -->\n\nAfter\n"
    for row in ("| races | SQLite | 1 |", "| kill-all | SQLite | 2 |", "| races | SQLite | 3 |"):
        page = report.with_row(page, row)

    assert page == (
        f"Before\n\n<!-- rows -->\n{report.HEAD}\n| kill-all | SQLite | 2 |\n"
        "| races | SQLite | 3 |\n<!-- end -->\n\nAfter\n"
    )


def test_a_kind_that_breaks_is_a_row_that_does_not_hold(monkeypatch, capsys):
    def run(options):
        raise AssertionError("It took too long.")

    broken = report.Kind("races", "Holds.", run, 1, ("sqlite",))
    monkeypatch.setitem(report.KINDS, "races", broken)

    code = report.main(["races"])

    assert code == 1
    assert "**AssertionError: It took too long.**" in capsys.readouterr().out


def test_what_was_run_is_what_it_was_at_the_beginning(monkeypatch, capsys, tmp_path):
    """An upgrade seemed to end in another shape: a pull had brought one more migration."""
    (tmp_path / "src").mkdir()

    def run(options):
        (tmp_path / "src" / "new.py").touch()
        return Found({"upgrades": 1})

    monkeypatch.setattr(report, "ROOT", tmp_path)
    changing = report.Kind("races", "Holds.", run, 1, ("sqlite",))
    monkeypatch.setitem(report.KINDS, "races", changing)

    assert report.main(["races"]) == 1
    assert "the product’s files were changed during the run" in capsys.readouterr().out


def test_the_document_says_what_each_kind_promises():
    promises = PAGE.read_text().partition("## What each row promises")[2]

    assert [name for name in KINDS if name not in promises] == []


# What a kind notices ------------------------------------------------------------------------------


def row(**changes):
    whole = {
        "message_id": "<1@here>",
        "kind": "request",
        "event": "meeting:1",
        "recipient": "sam@example.org",
        "sequence": 0,
        "state": "sent",
        "error": "",
    }
    return Mail(**{**whole, **changes})


def mail(message_id, sequence=0):
    content = (
        f"Message-ID: {message_id}\r\nContent-Type: text/calendar\r\n\r\nSEQUENCE:{sequence}\r\n"
    )
    return Received("", [], content.encode())


NEWER = row(message_id="<2@here>", sequence=1)


@pytest.mark.parametrize(
    ("rows", "mails", "fault"),
    [
        ([row()], [], "never received"),
        ([row()], [mail("<1@here>"), mail("<3@here>")], "unknown Message-ID"),
        ([row()], [mail("<1@here>", sequence=4)], "says b'SEQUENCE:4'"),
        ([row(state="queued")], [], "still waits"),
        ([row(state="dropped")], [], "dropped, though the newest"),
        ([row(state="failed", error="Could not be sent")], [], "failed"),
    ],
)
def test_a_mail_that_went_wrong_is_seen(rows, mails, fault):
    (seen,) = faults_of(rows, mails)

    assert fault in seen


def test_a_mail_twice_and_one_that_a_newer_one_replaced_are_as_promised():
    rows = [row(state="dropped"), NEWER, row(state="failed", error="550 No", event="meeting:2")]

    assert faults_of(rows, [mail("<2@here>", 1), mail("<2@here>", 1)]) == []


def test_memory_is_measured_from_the_first_third_on():
    growth, said = growth_of([100, 180, 200, 200, 205, 210])

    assert growth == pytest.approx(0.05)
    assert said == "100 MB, after a third 200, at the end 210 (+5.0%)"


def test_half_a_backup_is_seen(tmp_path):
    path = tmp_path / "x.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for name in ("commontime.json", "database", "secret_key"):
            (tmp_path / name).write_bytes(bytes(range(256)) * 40)
            tar.add(tmp_path / name, name)
    assert is_whole(path)

    path.write_bytes(path.read_bytes()[:-200])

    assert not is_whole(path)
    assert not is_whole(tmp_path / "absent.tar.gz")


def test_a_full_disk_has_no_byte_free(tmp_path):
    """It is written to the end, and free again afterwards."""
    if os.geteuid():
        pytest.fail("Mounting a small disk needs root, as the tests of deploy/ do.")
    with small_disk(1) as disk:
        with full(disk), pytest.raises(OSError, match="No space left"):
            (disk / "one").write_bytes(b"x" * 5000)
        (disk / "two").write_bytes(b"x" * 5000)
