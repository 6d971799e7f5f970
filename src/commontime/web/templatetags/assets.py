"""One file for each list of names: `{% styles "tokens" "base" %}`, `{% scripts "live-part" %}`."""

from django import template

from commontime.web.assets import asset

register = template.Library()


@register.inclusion_tag("web/assets/_styles.html")
def styles(*names: str) -> dict[str, str]:
    return {"address": asset("css", *names).address}


@register.inclusion_tag("web/assets/_scripts.html")
def scripts(*names: str) -> dict[str, str]:
    return {"address": asset("js", *names).address}


@register.inclusion_tag("web/assets/_scripts_first.html")
def scripts_first(*names: str) -> dict[str, str]:
    """Run scripts before the page is seen, so it won't jump.

    Browsers that can't wait for them show the page at once.
    """
    return scripts(*names)
