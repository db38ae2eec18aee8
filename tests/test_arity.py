from __future__ import annotations

import pytest

from jobqueue import job
from jobqueue.exceptions import InvalidArguments
from tests.sample import jobs

pytestmark = pytest.mark.usefixtures("own_registry")

FITTING = [
    ("send_email", ("a",), {}),
    ("send_email", ("a", "b"), {"body": "c"}),
    ("send_email", (), {"to": "a"}),
    ("record", (), {}),
    ("record", (1, 2, 3), {"any": 4}),
    ("nothing", (), {}),
]


@pytest.mark.parametrize(("name", "args", "kwargs"), FITTING)
def test_arguments_that_fit_pass(name, args, kwargs):
    definition = getattr(jobs, name)

    assert definition.arity.check(definition.name, args, kwargs) is None


@pytest.mark.parametrize(
    ("args", "kwargs", "complaint"),
    [
        ((), {}, "missing a required argument: 'to'"),
        (("a", "b", "c"), {}, "too many positional arguments"),
        (("a",), {"to": "b"}, "multiple values for argument 'to'"),
        (("a",), {"cc": "b"}, "got an unexpected keyword argument 'cc'"),
    ],
)
def test_arguments_that_do_not_fit_are_refused_with_the_signature(args, kwargs, complaint):
    with pytest.raises(InvalidArguments) as refused:
        jobs.send_email.enqueue(*args, **kwargs)

    signature = "tests.sample.jobs.send_email(to, subject='', *, body='') cannot be called so: "
    assert str(refused.value) == f"{signature}{complaint}."


def test_a_required_keyword_is_missed():
    @job(name="keyword")
    def keyword(a, *, b): ...

    with pytest.raises(InvalidArguments, match="missing a required .*'b'"):
        keyword.enqueue(1)


def test_a_function_without_signature_takes_anything(monkeypatch):
    definition = job(name="c function")(vars)

    assert definition.arity.signature is None
    assert definition.arity.check("x", (1, 2, 3), {"a": 1}) is None
