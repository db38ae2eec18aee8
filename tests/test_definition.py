from __future__ import annotations

from tests.sample import jobs


def test_calling_a_definition_calls_the_function(done):
    assert jobs.send_email("a@example.com", body="Hello") == "sent to a@example.com"
    assert done == [("send_email", "a@example.com", "", "Hello")]


def test_using_returns_a_changed_copy():
    urgent = jobs.send_email.using(queue="urgent", database="other", on_commit=False)

    assert (urgent.queue, urgent.database, urgent.on_commit) == ("urgent", "other", False)
    assert (jobs.send_email.queue, jobs.send_email.database, jobs.send_email.on_commit) == (
        "emails",
        "default",
        True,
    )
    assert urgent.name == jobs.send_email.name
    assert jobs.send_email.using().queue == "emails"
