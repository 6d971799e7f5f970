"""Every step of the heat map and every level can be read in light and dark: 4.5 to 1 between its
text and its shade (WCAG 1.4.3).

Computed from the styles, because no small group has all the steps. Where the device sets the
colours itself, it sets both.
"""

import re
from itertools import pairwise

import pytest

from commontime.web import assets

CSS = {name: (assets.FOLDER / "css" / f"{name}.css").read_text() for name in ("tokens", "calendar")}
TOKENS = {
    name: pair
    for name, *pair in re.findall(r"(--[\w-]+): light-dark\((#\w+), (#\w+)\);", CSS["tokens"])
}
SHADES = re.findall(
    r"^\.([sl]\d) \{\s+background-color: var\((--[\w-]+)\)[^;]*;(?:\s+color: var\((--[\w-]+)\);)?",
    CSS["calendar"],
    re.MULTILINE,
)
MARKS = {"l2": "--on-level", "l3": "--on-level-3"}  # said in the rules of their ::after


def brightness(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((brightness(one), brightness(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_all_shades_are_looked_at():
    assert [name for name, *_ in SHADES] == ["l2", "l3", "s1", "s2", "s3", "s4", "s5", "s6"]
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("name", "shade", "text"), SHADES, ids=[name for name, *_ in SHADES])
def test_the_text_on_a_shade_can_be_read(name, shade, text, scheme):
    text = text or MARKS.get(name, "--color-ink")

    assert contrast(TOKENS[shade][scheme], TOKENS[text][scheme]) >= 4.5


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_the_steps_differ_in_lightness(scheme):
    steps = [brightness(TOKENS[f"--heat-{step}"][scheme]) + 0.05 for step in range(1, 7)]
    order = sorted(steps, reverse=scheme == 0)

    assert steps == order
    assert all(max(pair) / min(pair) >= 1.14 for pair in pairwise(steps))
