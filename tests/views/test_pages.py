from __future__ import annotations

import re

import pytest


def test_pages_run_under_the_strictest_policy(staff):
    response = staff.get("/jobs/")

    policy = "default-src 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
    assert response.headers["Content-Security-Policy"] == policy
    assert response.headers["X-Frame-Options"] == "DENY"
    assert "no-store" in response.headers["Cache-Control"]


def test_static_files_of_another_host_are_let_in(staff, settings):
    settings.STATIC_URL = "https://static.example.com/files/"

    policy = staff.get("/jobs/").headers["Content-Security-Policy"]

    assert policy.startswith("default-src 'self' https://static.example.com;")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "failed/",
        "delayed/",
        "schedule/",
        "queues/q/",
        "workers/",
        "stats/",
        "stats/redis/",
        "stats/keys/",
        "stats/locks/",
    ],
)
def test_pages_have_no_inline_script_or_style(staff, redis, url):
    redis.rpush("resque:failed", b'{"payload":{"class":"A","args":[]},"queue":"q"}')
    redis.zadd("resque:later", {b'{"class":"A","args":[],"queue":"q"}': 1})

    text = staff.get(f"/jobs/{url}").content.decode()

    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*src=)|javascript:", text)


def test_the_current_tab_is_marked(staff):
    text = staff.get("/jobs/queues/").content.decode()

    assert re.findall(r'aria-current="page">(\w+)', text) == ["Queues"]


def test_control_characters_are_shown_and_have_no_effect(staff, redis):
    redis.rpush("resque:queue:q", '{"class":"\\u0000\\u001b[31m\\u202eEvil","args":["\\ud800"]}')

    text = staff.get("/jobs/queues/q/").content.decode()

    assert r"\x00\x1b[31m\u202eEvil" in text


def test_the_footer_names_redis_without_its_password(staff, monkeypatch):
    monkeypatch.setenv("REDIS_URL", "redis://:secret@127.0.0.1:1/0")

    text = staff.get("/jobs/").content.decode()

    assert "redis://:***@127.0.0.1:1/0, namespace resque" in text
    assert "secret" not in text
