from collections.abc import Iterator

import pytest
from django.db import transaction

from tests.api import cast


@pytest.fixture(scope="module")
def group(django_db_setup, django_db_blocker) -> Iterator[cast.Group]:
    """One group for the tests of a file; every test undoes what it changes."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield cast.group()
        transaction.set_rollback(True)
