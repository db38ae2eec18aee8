"""Background values: computed by jobs when what they depend on has changed, read without being computed.

    class Home:
        counts = BackgroundValue(compute=count_everything, refresh_on=(Article, Comment))

    class Article(models.Model):
        words = BackgroundValue(
            compute=count_words,  # gets the key
            refresh_on={
                "blog.Article": lambda article: article.pk,
                "blog.Comment": lambda comment: comment.article_id,
            },
        )

``Home.counts.get()`` and ``article.words`` are readings: the value, its age, "not computed yet" before the
first run. In whatever order the runs of several workers end, an older result never replaces a newer one, and
a run whose refresh a newer result has answered ends at once: a thousand changes need few computations.

Declare them where every process imports them: in ``models.py``, in ``jobs.py``, or in what those import.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, overload

from django.core.exceptions import ObjectDoesNotExist
from django.db import DEFAULT_DB_ALIAS
from django.db.models import Model
from django.db.models.signals import class_prepared
from redis.exceptions import ResponseError

from jobqueue import collection, rubyjson
from jobqueue.changes import Kind, once_per_commit, watch
from jobqueue.conf import settings
from jobqueue.defining import from_function, place_of
from jobqueue.definition import Definition
from jobqueue.exceptions import InvalidArguments, InvalidDefinition, RedisUnreachable
from jobqueue.inspection import values as results
from jobqueue.inspection.values import Reading
from jobqueue.options import Options, check_function, check_synchronous
from jobqueue.pause import Pause
from jobqueue.store import values as store
from jobqueue.store.values import Stored
from jobqueue.valuekeys import KeyOf, RefreshOn, keys_of, plain, takes_key

QUEUE = "values"


class BackgroundValue:
    """A value that jobs compute and pages read: one, or one for each key if ``compute`` takes an argument.

    ``refresh_on`` names the models whose changes make it old; for a value with keys it is a dict, from
    model to a function that returns the key of a changed instance, or None to refresh nothing. Where a
    change moves an instance from one key to another only the new one is known: refresh the old one
    yourself. So do after ``update()``, ``bulk_create()`` and others that send no signals.

    With ``debounce``, in seconds or a timedelta, it is computed so long after the last of the changes that
    follow each other within that time.

    ``compute`` returns a JSON value. ``name``, by default ``module.Class.attribute``, names its jobs. A value
    with keys that stands in a model is forgotten when its instance is deleted.
    """

    def __init__(
        self,
        *,
        compute: Callable[..., Any],
        refresh_on: RefreshOn = (),
        queue: str = QUEUE,
        name: str | None = None,
        debounce: Pause | None = None,
    ) -> None:
        self._place = place_of(compute)
        check_function(compute, self._place)
        check_synchronous(compute, self._place, "what computes a BackgroundValue")
        self._compute = compute
        self.is_keyed = takes_key(compute, self._place)
        self._keys_of = keys_of(refresh_on, self.is_keyed, self._place)
        self._options = _options(queue, debounce)
        self._model: type[Model] | None = None
        self._definition: Definition[[Any, int | None], None] | None = None
        if name is not None:
            self._define(name)

    def __set_name__(self, owner: type, name: str) -> None:
        if self._definition is None:
            self._define(f"{owner.__module__}.{owner.__qualname__}.{name}")
        if self.is_keyed and issubclass(owner, Model):
            self._model = owner
            class_prepared.connect(self._watch_own_model, sender=owner)

    @overload
    def __get__(self, instance: None, owner: type) -> BackgroundValue: ...
    @overload
    def __get__(self, instance: object, owner: type) -> Reading: ...
    def __get__(self, instance: Any, owner: type) -> BackgroundValue | Reading:
        """Return the value itself from the class; from an instance its reading, in one round trip."""
        if instance is None:
            return self
        if not self.is_keyed:
            return self.get()
        return Reading() if instance.pk is None else self.get(instance.pk)

    @property
    def definition(self) -> Definition[[Any, int | None], None]:
        """The definition of the jobs that compute it."""
        if self._definition is None:
            raise InvalidDefinition(
                f"{self._place}: a BackgroundValue outside a class has no name; give it one, name=..."
            )
        return self._definition

    @property
    def name(self) -> str:
        return self.definition.name

    def get(self, key: Any = None) -> Reading:
        """Return what was last computed; never computes. Raises RedisUnreachable."""
        return read_values((self, key))[0]

    def read_many(self, keys: Iterable[Any]) -> dict[Any, Reading]:
        """Return the readings of several keys in one round trip."""
        wanted = list(keys)
        return dict(zip(wanted, read_values(*((self, key) for key in wanted)), strict=True))

    def refresh(self, key: Any = None, *, using: str = DEFAULT_DB_ALIAS) -> None:
        """Have a job compute the value anew after the transaction under way, once however often it is asked.

        Raises RedisUnreachable outside a transaction.
        """
        self.result_name(key)
        once_per_commit(self._enqueue, (plain(key),), identity=self, using=using)

    def forget(self, key: Any = None) -> None:
        """Remove the result, at once; runs under way and jobs that wait do not bring it back."""
        name = self.result_name(key)
        store.store(name, store.request(name), None)

    def result_name(self, key: Any) -> str:
        """Return the name under which the result of a key is stored."""
        if self.is_keyed and key is None:
            raise InvalidArguments(f"{self.name} is one value for each key, so it needs a key.")
        if not self.is_keyed and key is not None:
            raise InvalidArguments(f"{self.name} is a single value, so it takes no key, and got {key!r}.")
        return self.name if key is None else f"{self.name}:{key}"

    def _define(self, name: str) -> None:
        options: Options = {**self._options, "name": name}
        self._definition = from_function(self._run, place=self._place, **options)
        for model, key_of in self._keys_of.items():
            self._watch(model, key_of)

    def _watch(self, model: type[Model] | str, key_of: KeyOf) -> None:
        def changed(instance: Model, kind: Kind, using: str) -> None:
            key = key_of(instance)
            is_refreshed = key is not None or not self.is_keyed
            if is_refreshed and not (kind == "delete" and self._is_own(instance, key)):
                self.refresh(key, using=using)

        watch(model, changed)

    def _is_own(self, instance: Model, key: Any) -> bool:
        """Tell whether the key is the one of the instance in whose class the value stands."""
        return self._model is not None and isinstance(instance, self._model) and str(key) == str(instance.pk)

    def _watch_own_model(self, sender: type[Model], **_: Any) -> None:
        def deleted(instance: Model, kind: Kind, using: str) -> None:
            once_per_commit(self.forget, (plain(instance.pk),), identity=(self, "forget"), using=using)

        watch(sender, deleted, on=("delete",))

    def _enqueue(self, key: Any) -> None:
        self.definition.using(on_commit=False).enqueue(key, self._request(key))

    def _request(self, key: Any) -> int | None:
        """Return the number of a request; None, which no result answers, where Redis cannot be asked."""
        if collection.current() is not None or settings.inline:
            return None
        try:
            return store.request(self.result_name(key))
        except (RedisUnreachable, ResponseError):
            # The enqueue that follows fails too, and reports the job in a form that can be replayed; or its
            # job fails, if what stands there is no value
            return None

    def _run(self, key: Any = None, request: int | None = None) -> None:
        """Compute and store the value, unless its request is answered; what a job of this value does."""
        name = self.result_name(key)
        while (ticket := store.take(name, request)) is not None:
            if store.store(name, ticket, self._computed(key)) is not Stored.UNKNOWN_TICKET:
                return

    def _computed(self, key: Any) -> str | None:
        """Return the JSON text of a new result; None if the instance of the key is gone."""
        try:
            result = self._compute(key) if self.is_keyed else self._compute()
        except ObjectDoesNotExist as error:
            if self._model is None or not isinstance(error, self._model.DoesNotExist):  # type: ignore[attr-defined]
                raise
            return None
        rubyjson.check(result, f"the result of {self.name}")
        return rubyjson.encode(result)


def read_values(*wanted: BackgroundValue | tuple[BackgroundValue, Any]) -> list[Reading]:
    """Return the readings of several values, each alone or with its key, in one round trip."""
    pairs = [each if isinstance(each, tuple) else (each, None) for each in wanted]
    return results.read([value.result_name(key) for value, key in pairs])


def _options(queue: str, debounce: Pause | None) -> Options:
    """Return the options of the jobs that compute a value."""
    options: Options = {"queue": queue}
    return options if debounce is None else {**options, "debounce": debounce, "unique_by": _only_key}


def _only_key(key: Any, request: int | None) -> Any:
    """Return what makes two jobs of one value equal: the last request is answered for all before it."""
    return key
