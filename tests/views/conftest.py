from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.test import Client


@pytest.fixture
def staff(db, redis) -> Client:
    """A client logged in as a member of the staff, and an empty Redis."""
    client = Client()
    client.force_login(get_user_model().objects.create_user("maria", is_staff=True))
    return client


@pytest.fixture
def reader(db, redis, settings) -> Client:
    """A client logged in as somebody who may see the pages and change nothing."""
    settings.JOBQUEUE_CAN_VIEW = "tests.views.rights.anybody"
    client = Client()
    client.force_login(get_user_model().objects.create_user("rita"))
    return client
