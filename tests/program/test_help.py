"""`commontime` tells how it is used."""

import subprocess
import sys

import pytest
from django.core.management import load_command_class

from commontime.program import cli

OF_DJANGO = ("--settings", "--pythonpath", "--traceback", "--no-color", "--force-color", "-v ")


def help_of(command: str) -> str:
    module = cli.MODULES.get(command, command.replace("-", "_"))
    return (
        load_command_class("commontime.jobs", module)
        .create_parser("commontime", command)
        .format_help()
    )


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_each_command_tells_how_it_is_used(command):
    told = help_of(command)

    assert told.startswith(f"usage: commontime {command} ")
    assert f"\n  commontime {command}" in told.partition("example")[2]
    assert max(map(len, told.splitlines())) <= 100
    for option in OF_DJANGO:
        assert option not in told


def test_all_commands_are_listed_in_groups(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["commontime"])

    cli.main()

    told = capsys.readouterr().out
    for command in [*cli.START, *cli.COMMANDS]:
        assert f"\n  {command} " in told
    for group in ("Start", "Care", "Data", "People"):
        assert f"\n{group}\n" in told


@pytest.mark.parametrize("command", cli.START)
def test_what_starts_tells_how_it_is_used(command, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["commontime", command, "--help"])

    with pytest.raises(SystemExit):
        cli.main()

    assert capsys.readouterr().out.startswith(f"usage: commontime {command} [-h]\n\nStarts ")


@pytest.mark.processes
@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["fly"], 1, "There is no command 'fly'. `commontime --help` lists all."),
        (["create_account"], 1, "Did you mean create-account?"),
        (["list-accounts"], 1, "Run: commontime prepare"),
        (["deactivate"], 2, "usage: commontime deactivate"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(tmp_path, arguments, code, sentence):
    done = subprocess.run(
        [sys.executable, "-m", "commontime.program.cli", *arguments],
        env={"PYTHONPATH": "src", "COMMONTIME_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == code
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
