from __future__ import annotations

import types

import pytest

from jobqueue import discovery, job, registry
from jobqueue.exceptions import DuplicateJob, InvalidDefinition, UnknownJob
from jobqueue.recovery import CrashPolicy
from tests.sample import jobs
from tests.sample.elsewhere import Elsewhere

pytestmark = pytest.mark.usefixtures("own_registry")


def module_of_jobs(**contents):
    """Return a module that stands for an app's ``jobs``."""
    module = types.ModuleType("blog.jobs")
    for value in contents.values():
        value.__module__ = "blog.jobs"
    vars(module).update(contents)
    return module


def test_functions_in_the_jobs_module_of_an_app_are_found():
    assert registry.get("tests.sample.jobs.send_email") is jobs.send_email


def test_classes_in_the_jobs_module_of_an_app_are_found():
    definition = registry.get("tests.sample.jobs.Exporter")

    assert definition.queue == "exports"
    assert definition.owner is jobs.Exporter
    assert registry.of_class(jobs.Exporter) is definition


def test_a_class_tells_its_options_by_attributes():
    definition = registry.get("Importer")

    assert (definition.queue, definition.bare, definition.batch) == ("imports", True, False)


def test_a_class_that_was_only_imported_is_no_job():
    assert jobs.Elsewhere is Elsewhere

    with pytest.raises(UnknownJob, match=r"tests\.sample\.elsewhere\.Elsewhere is no job: it needs `queue`"):
        registry.of_class(Elsewhere)


def test_an_unknown_name_is_refused_with_the_way_out():
    with pytest.raises(
        UnknownJob, match=r"No installed app defines the job 'blog\.jobs\.gone'\. It should stand"
    ):
        registry.get("blog.jobs.gone")


def test_two_jobs_of_one_name_are_refused_naming_both_places():
    @job(name="twice")
    def one(): ...

    with pytest.raises(DuplicateJob) as refused:

        @job(name="twice")
        def another(): ...

    first = one.function.__code__.co_firstlineno
    assert f"'twice', one at tests.test_registry:{first}, one at tests.test_registry:" in str(refused.value)
    assert registry.get("twice") is one


def test_a_module_may_be_loaded_again():
    def define():
        @job(name="again")
        def again(): ...

        return again

    define()
    newer = define()

    assert registry.get("again") is newer


def test_discovering_twice_changes_nothing():
    before = [definition.name for definition in registry.definitions()]

    discovery.discover()

    assert [definition.name for definition in registry.definitions()] == before


def test_definitions_are_sorted_by_name():
    names = [definition.name for definition in registry.definitions()]

    assert names == sorted(names)
    assert {"Emailer", "tests.sample.jobs.nothing"} <= set(names)


def test_the_queues_of_all_definitions_are_known_once_each():
    queues = registry.queues()

    assert queues == sorted(set(queues))
    assert {"default", "emails", "exports", "home", "values"} <= set(queues)


def test_classes_without_queue_or_perform_are_no_jobs():
    class NoPerform:
        queue = "emails"

    class NoQueue:
        @staticmethod
        def perform(): ...

    class OtherQueue(NoQueue):
        queue = [1, 2]

    before = registry.definitions()

    discovery.register_classes(module_of_jobs(a=NoPerform, b=NoQueue, c=OtherQueue))

    assert registry.definitions() == before


def test_a_class_from_a_part_of_a_package_of_jobs_is_found():
    class Report:
        queue = "reports"
        name = "Report"

        @staticmethod
        def perform(): ...

    module = module_of_jobs(Report=Report)
    Report.__module__ = "blog.jobs.reports"

    discovery.register_classes(module)

    assert registry.get("Report").owner is Report


def test_a_class_with_a_decorator_keeps_what_that_says():
    @job(queue="urgent", name="Report")
    class Report:
        queue = "reports"

        @staticmethod
        def perform(): ...

    discovery.register_classes(module_of_jobs(Report=Report))

    assert registry.of_class(Report).queue == "urgent"


def test_a_class_whose_perform_needs_an_instance_is_refused():
    class Report:
        queue = "reports"

        def perform(self): ...

    with pytest.raises(
        InvalidDefinition, match="Report needs a method `perform` that runs without an instance"
    ):
        discovery.register_classes(module_of_jobs(Report=Report))


def test_a_definition_tells_what_becomes_of_jobs_whose_process_dies(settings):
    settings.JOBQUEUE_MAX_CRASHES = 5
    job(name="fails")(print)
    job(name="tries again", on_crash="retry", max_crashes=2)(print)

    assert registry.crash_policy("fails") == CrashPolicy(retries=False, max_crashes=5)
    assert registry.crash_policy("tries again") == CrashPolicy(retries=True, max_crashes=2)
    assert registry.crash_policy("unknown") == CrashPolicy(retries=False, max_crashes=5)


@pytest.mark.parametrize("target", [jobs.Exporter, "tests.sample.jobs.Exporter"])
def test_a_definition_is_found_by_class_and_by_name(target):
    assert registry.resolve(target) is registry.get("tests.sample.jobs.Exporter")


def test_a_definition_stands_for_itself():
    assert registry.resolve(jobs.send_email) is jobs.send_email


def test_an_unknown_definition_is_refused():
    with pytest.raises(UnknownJob):
        registry.resolve("nobody")
