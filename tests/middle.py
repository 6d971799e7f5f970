"""The actions of the middle, for tests that look at all of them."""

import inspect
import pkgutil
from importlib import import_module
from types import ModuleType
from typing import Any

from commontime.accounts import actions as accounts
from commontime.calendars import actions as calendars
from commontime.contacts import actions as contacts

ROOMS: dict[str, ModuleType] = {"accounts": accounts, "contacts": contacts, "calendars": calendars}


def public_functions(actions: ModuleType) -> list[Any]:
    """Return what a room's actions export, or define without an underscore in their modules."""
    exported = getattr(actions, "__all__", None)
    if exported:
        return [vars(actions)[name] for name in exported]
    return [
        function
        for module in _modules_of(actions)
        for name, function in vars(module).items()
        if not name.startswith("_")
        and inspect.isfunction(function)
        and function.__module__ == module.__name__
    ]


def _modules_of(actions: ModuleType) -> list[ModuleType]:
    """Return the modules of a package, or the plain module itself."""
    folders = getattr(actions, "__path__", None)
    if folders is None:
        return [actions]
    return [
        import_module(f"{actions.__name__}.{module.name}")
        for module in pkgutil.iter_modules(folders)
    ]
