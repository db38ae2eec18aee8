"""Act when models change: once for equal calls of one transaction, when that transaction has committed.

What Django's signals do not tell, nobody here can know: ``QuerySet.update()``, ``bulk_create()``,
``bulk_update()``, changes of many-to-many relations and raw SQL send no post_save or post_delete. Code that
uses those enqueues by itself, after them: ``definition.enqueue(...)``, or ``value.refresh(key)`` for a
background value. A proxy of a model, and a model that inherits from it by a table of its own, send the
signals in their own name: name them too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Hashable, Sequence
from functools import partial
from typing import Any, Literal
from weakref import WeakKeyDictionary

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model
from django.db.models.signals import post_delete, post_save

from jobqueue import collection, databases, enqueueing, rubyjson
from jobqueue.definition import Definition
from jobqueue.exceptions import InvalidArguments, InvalidDefinition
from jobqueue.pause import Pause
from jobqueue.registry import resolve

Kind = Literal["create", "update", "delete"]
KINDS: tuple[Kind, ...] = ("create", "update", "delete")
Arguments = Callable[[Any], Sequence[Any]]
Changed = Callable[[Any, Kind, str], None]
Stop = Callable[[], None]


def only_key(instance: Any) -> Sequence[Any]:
    """Return the primary key, what a job that is told of a change mostly needs."""
    return (instance.pk,)


def call_on_change(
    model: type[Model] | str,
    action: Callable[..., Any],
    *,
    args: Arguments = only_key,
    on: Collection[str] = KINDS,
) -> Stop:
    """Call ``action(*args(instance))`` when an instance of a model was created, updated or deleted.

    ``model`` is a class or a name such as "blog.Article". The arguments, JSON values, are computed and copied
    at the change, as after a delete the key is gone; the call comes after the commit, at once outside a
    transaction. Equal calls of one transaction are one. What the action raises after a commit is logged by
    Django and stops nothing else. Returns a function that ends this.

    ``update()``, ``bulk_create()`` and others send no signals: see the module's page.
    """

    def changed(instance: Model, kind: Kind, using: str) -> None:
        once_per_commit(action, _computed(args, instance), identity=action, using=using)

    return watch(model, changed, on=on)


def enqueue_on_change(
    model: type[Model] | str,
    definition: Definition[..., Any] | type | str,
    *,
    args: Arguments = only_key,
    on: Collection[str] = KINDS,
    debounce: Pause | None = None,
) -> Stop:
    """Enqueue a job when an instance of a model was created, updated or deleted; see ``call_on_change``.

    The job gets the instance's primary key, or what ``args`` makes of the instance: ``lambda comment:
    (comment.article_id,)``, or ``lambda _: ()`` for a job that wants to know nothing. With ``debounce``, in
    seconds or a timedelta, it begins so long after the last of the changes that follow each other within
    that time: equal jobs of several transactions are one, too.
    """
    chosen = resolve(definition)
    # Whichever database the definition waits for, the change has been committed by then
    at_once = chosen.using(on_commit=False, debounce=debounce)

    def enqueue(*args: Any) -> None:
        enqueueing.enqueue(at_once, args, {})

    def changed(instance: Model, kind: Kind, using: str) -> None:
        once_per_commit(enqueue, _computed(args, instance), identity=chosen, using=using)

    return watch(model, changed, on=on)


def watch(model: type[Model] | str, changed: Changed, *, on: Collection[str] = KINDS) -> Stop:
    """Call ``changed(instance, kind, using)`` at each change itself, before any commit."""
    _check_model(model)
    if isinstance(on, str) or not on or not set(on) <= set(KINDS):
        raise InvalidDefinition(f'on={on!r} should be some of {KINDS}, such as ("create",).')

    def saved(instance: Model, created: bool, using: str, **_: Any) -> None:
        kind: Kind = "create" if created else "update"
        if kind in on:
            changed(instance, kind, using)

    def deleted(instance: Model, using: str, **_: Any) -> None:
        changed(instance, "delete", using)

    def stop() -> None:
        post_save.disconnect(saved, sender=model)
        post_delete.disconnect(deleted, sender=model)

    post_save.connect(saved, sender=model, weak=False)
    if "delete" in on:
        # Not connected in vain: a receiver makes Django fetch what it could delete by one query
        post_delete.connect(deleted, sender=model, weak=False)
    return stop


def once_per_commit(
    action: Callable[..., Any], args: Sequence[Any], *, identity: Hashable, using: str
) -> None:
    """Call ``action(*args)`` when the transaction under way commits, once for equal arguments of an identity.

    At once outside a transaction, and each time while a test collects what is enqueued.
    """
    rubyjson.check(list(args), "args")
    text = rubyjson.encode(list(args))
    call = partial(action, *json.loads(text))
    if collection.current() is not None or not databases.in_transaction(using):
        call()
    else:
        databases.on_commit(partial(_current_batch(using).run, (identity, text), call), using)


class Batch:
    """The calls that wait for a commit.

    What was called already is noted when commit hooks run and not when they are set: a savepoint that is
    rolled back takes its hooks along, and must not swallow the equal call of a later one.
    """

    def __init__(self) -> None:
        self.is_running = False
        self._seen: set[Hashable] = set()

    def run(self, key: Hashable, call: Callable[[], Any]) -> None:
        """Make the call, unless an equal one was made; what a commit hook does."""
        self.is_running = True
        if key not in self._seen:
            self._seen.add(key)
            call()


_batches: WeakKeyDictionary[BaseDatabaseWrapper, Batch] = WeakKeyDictionary()
"""The batch that new calls join, by connection; a connection belongs to one thread."""


def _current_batch(using: str) -> Batch:
    """Return the connection's batch; once its commit hooks run, what changes now is another transaction's."""
    connection = connections[using]
    batch = _batches.get(connection)
    if batch is None or batch.is_running:
        batch = _batches[connection] = Batch()
    return batch


def _computed(args: Arguments, instance: Model) -> Sequence[Any]:
    found = args(instance)
    if isinstance(found, (tuple, list)):
        return found
    raise InvalidArguments(f"args should return a tuple of arguments, such as ({found!r},), not {found!r}.")


def _check_model(model: Any) -> None:
    if isinstance(model, str) and model.count(".") == 1:
        return
    if isinstance(model, type) and issubclass(model, Model) and not model._meta.abstract:
        return
    raise InvalidDefinition(
        f'{model!r} should be a model that has a table, or the name of one, such as "blog.Article".'
    )
