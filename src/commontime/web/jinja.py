"""Jinja2, for parts that repeat for each start or person.

Django’s templates take five times as long for them (docs/decisions/0007-two-template-languages.md).
"""

from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from jinja2 import Environment

from commontime.core.shapes import Fields


def environment(**options: Any) -> Environment:
    """Make Jinja's environment; it escapes everything, translations too."""
    # Django's options have autoescape on.
    made = Environment(trim_blocks=True, lstrip_blocks=True, **options)  # noqa: S701
    made.globals["_"] = gettext
    return made


def render(template: str, context: Fields) -> SafeString:
    """Render a template of `jinja2/` as safe markup."""
    # Jinja has escaped it.
    return mark_safe(render_to_string(template, context, using="jinja2"))  # noqa: S308
