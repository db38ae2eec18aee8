"""The scripts as files; what each of them does is tested beside the module that runs it."""

from __future__ import annotations

import pytest

from jobqueue import scripts

NAMES = sorted(each.name.removesuffix(".lua") for each in scripts.FOLDER.iterdir())
WHOLE = [name for name in NAMES if not name.startswith("_")]


@pytest.mark.parametrize("name", WHOLE)
def test_each_script_opens_with_its_contract(name):
    opening = scripts.load(name).text.split("\n\n")[0]

    assert opening.startswith("-- ")
    assert all(f"\n-- {part}" in opening for part in ("KEYS: ", "ARGV"))


@pytest.mark.parametrize("name", WHOLE)
def test_the_name_of_each_script_is_what_redis_calls_it(redis, name):
    script = scripts.load(name)

    assert redis.script_load(script.text) == script.sha


def test_an_include_stands_for_its_file():
    text = scripts.load("enqueue").text

    assert "local function ring(bell)" in text
    assert "-- include" not in text


def test_every_part_is_included_somewhere():
    texts = [(scripts.FOLDER / f"{name}.lua").read_text() for name in WHOLE]
    parts = set(NAMES) - set(WHOLE)

    assert parts == {part for text in texts for part in scripts.INCLUDE.findall(text)}


def test_all_scripts_can_be_loaded_before_a_fork():
    scripts.load.cache_clear()

    scripts.load_all()

    assert scripts.load.cache_info().currsize == len(WHOLE)


def test_a_redis_that_forgot_a_script_is_told_it_again(redis):
    remove_jobs = scripts.load("remove_jobs")
    redis.script_flush()
    redis.rpush("q", "a", "b", "a")

    assert remove_jobs(redis, ["q"], ["a"]) == 2

    assert redis.script_exists(remove_jobs.sha) == [True]
    assert remove_jobs(redis, ["q"], ["b"]) == 1
