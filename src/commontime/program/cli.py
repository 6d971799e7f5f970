"""The program `commontime`: everything that an operator does, under one name."""

import argparse
import difflib
import os
import sys
from collections.abc import Callable

from commontime import __version__

START = {
    "run": "start everything: the web server, the worker and the planner",
    "web": "start the web server alone",
    "worker": "start the worker and the planner alone, for example on another machine",
}
CARE = {
    "prepare": "bring the database up to date; `run` and `web` do this first",
    "check": "look whether everything works: database, mail, proxy, worker and more",
    "settings": "list the settings",
    "send-test-mail": "send an email now, and say what is wrong if it fails",
    "demo": "fill an empty database with an example choir",
}
DATA = {
    "backup": "write one file with everything, also while Commontime runs",
    "restore": "put a backup back",
    "move-to": "copy everything to another database, SQLite or PostgreSQL",
}
PEOPLE = {
    "create-account": "create an account, also where sign-up is closed",
    "list-accounts": "list all accounts",
    "delete-account": "delete an account",
    "deactivate": "sign somebody out everywhere and keep them out",
    "reactivate": "let somebody in again",
    "reset-link": "print a link for a new password, for where no email goes",
}
STORIES = {
    "run": (
        "Starts everything: the web server, the worker (email and deadlines) and the planner (long "
        "plans). Brings the database up to date first. Ctrl-C or SIGTERM stops it."
    ),
    "web": (
        "Starts the web server alone, after bringing the database up to date. `commontime worker` "
        "must run too, here or on another machine: without it no email is sent."
    ),
    "worker": (
        "Starts the worker (email and deadlines) and the planner (long plans) without a web "
        "server. On another machine it needs the same DATABASE_URL and COMMONTIME_SECRET_KEY."
    ),
}
COMMANDS = CARE | DATA | PEOPLE
# A command of Django has the name `check`.
MODULES = {"check": "checkup"}
HELP = """usage: commontime COMMAND [OPTION…]

Finds a group the time it has in common.

Start
{start}

Care
{care}

Data
{data}

People
{people}

`commontime COMMAND --help` tells more about a command. `commontime --version` tells the version.
Settings are environment variables, and none is needed: `commontime settings` lists them."""


def main() -> None:
    """Do what the command line says, and exit."""
    os.umask(0o077)  # what this program writes is for the account that runs it
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "commontime.config.settings")
    command, *arguments = sys.argv[1:] or ["--help"]
    if command in START:
        _tell_refusals(lambda: sys.exit(_start(command, arguments)))
    elif command in COMMANDS:
        _tell_refusals(lambda: _run_command(command, arguments))
    elif command in {"--help", "-h", "help"}:
        groups = {"start": START, "care": CARE, "data": DATA, "people": PEOPLE}
        print(HELP.format(**{name: _listed(commands) for name, commands in groups.items()}))
    elif command in {"--version", "-V"}:
        print(f"commontime {__version__}")
    else:
        sys.exit(
            f"There is no command {command!r}.{_guess(command)} `commontime --help` lists all."
        )


def _guess(command: str) -> str:
    near = difflib.get_close_matches(command, [*START, *COMMANDS], n=1)
    return f" Did you mean {near[0]}?" if near else ""


def _listed(commands: dict[str, str]) -> str:
    return "\n".join(f"  {name:<16} {what}" for name, what in commands.items())


def _tell_refusals(act: Callable[[], None]) -> None:
    """Act. Settings that can't work end the program with a sentence."""
    from django.core.exceptions import ImproperlyConfigured

    try:
        act()
    except ImproperlyConfigured as refusal:
        sys.exit(f"Commontime does not start: {refusal}")


def _start(command: str, arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        f"commontime {command}",
        description=STORIES[command],
        epilog="Settings are environment variables; `commontime settings` lists them.",
    )
    # For tests and benchmarks: another application, or only one of the workers.
    parser.add_argument("--application", help=argparse.SUPPRESS)
    parser.add_argument("--only", choices=["worker", "planner"], help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    from commontime.program import service

    workers = [options.only] if options.only else list(service.QUEUES)
    return service.serve(
        web=command != "worker",
        workers=[] if command == "web" else workers,
        application=options.application or service.APPLICATION,
    )


def _run_command(command: str, arguments: list[str]) -> None:
    import django
    from django.core.management import load_command_class

    django.setup()
    module = MODULES.get(command, command.replace("-", "_"))
    load_command_class("commontime.jobs", module).run_from_argv(["commontime", command, *arguments])


if __name__ == "__main__":
    main()
