"""The list form: what its page shows to go by."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

from commontime.layout.line_reader import Days
from commontime.layout.lines import read
from commontime.web import list_form

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize("language", ["en", "de", "fr"])
@pytest.mark.parametrize("first", [date(2026, 4, 27), date(2026, 12, 31), date(2028, 2, 26)])
def test_the_lines_shown_to_go_by_can_be_read(language, first):
    days = Days(BERLIN, first, first + timedelta(days=13), language)
    with translation.override(language):
        shown_to_go_by = list_form._examples(days)

    assert len(set(shown_to_go_by)) == 3
    assert all(read(line, days)[0] and not read(line, days)[1] for line in shown_to_go_by)
