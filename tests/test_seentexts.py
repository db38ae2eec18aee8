from __future__ import annotations

from jobqueue.seentexts import SeenTexts


def test_what_was_seen_is_known_and_hardly_anything_else():
    seen = SeenTexts()
    for number in range(1000):
        seen.add(b"%d" % number)

    assert all(b"%d" % number in seen for number in range(1000))
    assert sum(b"%d" % number in seen for number in range(1000, 2000)) < 10


def test_what_counts_as_seen_by_chance_does_not_each_time(monkeypatch):
    monkeypatch.setattr("jobqueue.seentexts.BITS", 64)

    def is_seen(text):
        seen = SeenTexts()
        for number in range(32):
            seen.add(b"%d" % number)
        return text in seen

    assert {is_seen(b"another") for _ in range(100)} == {False, True}
