"""`{% styles "tokens" "base" %}`, `{% scripts "live-part" %}`, `{% scripts_first … %}`: the
elements that fetch these files as one.
"""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from commontime.web.assets import asset

register = template.Library()


@register.simple_tag
def styles(*names: str) -> SafeString:
    return format_html('<link rel="stylesheet" href="{}">', asset("css", *names).address)


@register.simple_tag
def scripts(*names: str) -> SafeString:
    return format_html('<script type="module" src="{}"></script>', asset("js", *names).address)


@register.simple_tag
def scripts_first(*names: str) -> SafeString:
    """For the head of a page that would jump if its scripts ran after it was seen; browsers that
    can't wait show it at once.
    """
    return format_html(
        '<script type="module" blocking="render" src="{}"></script>', asset("js", *names).address
    )
