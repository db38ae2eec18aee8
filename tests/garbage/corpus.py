"""What strangers, other languages, broken programs and enemies may have left in Redis."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import redis as redis_client

from tests.goldenfiles import FOLDER, golden

ACTIVE_JOB = "ActiveJob::QueueAdapters::ResqueAdapter::JobWrapper"
WRONG = {
    "class": ["x"],
    "args": {"a": 1},
    "id": 5,
    "crashes": "x",
    "retry_of": [],
    "raw": 3,
    "failed_at": 3,
    "exception": [1],
    "error": {"x": 1},
    "backtrace": "a\nb",
    "worker": None,
    "queue": 5,
    "retried_at": False,
    "run_at": {"x": 1},
}
"""Every field that is read anywhere, each of a wrong type."""


def job(*args: object, **fields: object) -> bytes:
    """Return the payload of a job that is known, with fields as they are given."""
    return json.dumps({"class": "tests.sample.jobs.record", "args": list(args), **fields}).encode()


TEXTS = {
    # No text at all
    "nothing": b"",
    "blanks": b" \t\r\n ",
    "a zero": b"\x00",
    "every byte": bytes(range(256)),
    "half a character": b"\xe2\x82",
    "an overlong character": b'{"class":"\xc0\xaf","args":[]}',
    "a surrogate in UTF-8": b'{"class":"\xed\xa0\x80","args":[]}',
    "UTF-16": '{"class":"x","args":[]}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"class":"x","args":[]}',
    "compressed": b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00",
    "pickled": b"\x80\x04\x95\x12\x00\x00\x00\x00\x00\x00\x00\x8c\x02os\x94\x8c\x06system\x94\x93\x94.",
    "marshalled by Ruby": b'\x04\x08{\x07I"\nclass\x06:\x06ETI"\x06A\x06;\x00T',
    "YAML": b"--- !ruby/object:Gem::Installer\ni: x\n",
    # No JSON, or not quite
    "broken JSON": b'{"class":',
    "an open string": b'{"class":"x',
    "more than one": b'{"class":"x","args":[]}{"class":"y","args":[]}',
    "a tail": b'{"class":"x","args":[]} trailing',
    "not a number": b'{"class":"x","args":[NaN]}',
    "infinity": b'{"class":"x","args":[1e999,-1e999]}',
    "single quotes": b"{'class': 'x', 'args': []}",
    # JSON, but no job
    "null": b"null",
    "true": b"true",
    "a number": b"42",
    "a large number": b"9" * 300,
    "a negative number": b"-1",
    "a fraction": b"0.5",
    "a number beyond all numbers": b"1e400",
    "a huge number": b"9" * 5_000,
    "a text": b'"text"',
    "a list": b"[1,2]",
    "a list of jobs": b'[{"class":"tests.sample.jobs.record","args":[]}]',
    "an empty object": b"{}",
    "keys that repeat": b'{"class":"x","class":5,"args":[],"args":7}',
    "a key that is empty": b'{"":"x"}',
    "deep lists": b"[" * 5_000 + b"]" * 5_000,
    "deep objects": b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    "as deep as Ruby reads": b'{"class":"x","args":' + b"[" * 99 + b"]" * 99 + b"}",
    "one level deeper": b'{"class":"x","args":' + b"[" * 100 + b"]" * 100 + b"}",
    # Jobs with something wrong in them
    "no name": b'{"args":[]}',
    "no arguments": b'{"class":"tests.sample.jobs.record"}',
    "null everywhere": json.dumps(dict.fromkeys(WRONG)).encode(),
    "wrong everywhere": json.dumps(WRONG).encode(),
    "wrong inside": json.dumps({**WRONG, "payload": WRONG}).encode(),
    "half a pair": b'{"class":"\\ud800","args":["\\udfff"],"queue":"\\ud800","payload":{"class":"\\ud800"}}',
    "control characters": b'{"class":"\\u0000\\u001b\\u202e","args":["\\u0000"],"payload":{},"queue":"\\n"}',
    "markup": b'{"class":"<script>alert(1)</script>","args":["</pre><img src=x>"],"queue":"\\"><b>"}',
    "a template": b'{"class":"{{ 7|add:7 }}{% include x %}","args":["%s %(a)s {0.__class__}"]}',
    "something to import": b'{"class":"os.system","args":["true"]}',
    "huge numbers": job(10**4_000, -(10**4_000), 1e308, 5e-324, -0.0),
    "numbers too long": b'{"class":"tests.sample.jobs.record","args":[%s]}' % (b"9" * 6_000),
    "as many crashes as can be read": job(crashes=10**4_299, id="x"),
    "just so many crashes": b'{"class":"x","args":[],"crashes":%s}' % (b"9" * 4_300),
    "crashes below zero": job(crashes=-3),
    "crashes that are true": job(crashes=True),
    "attempts that are none": job(
        queue="work", attempts=[1, None, [], {"failed_at": 1}], attempts_dropped=-1
    ),
    "attempts with markup": job(
        queue="<b>",
        attempts=[{"failed_at": "<img>", "exception": "<script>alert(1)</script>", "error": "\x1b"}],
    ),
    "very many attempts": job(queue="work", attempts=[{}] * 5_000, attempts_dropped=10**4_299),
    "an id of another's": job(id="~" * 22, retry_of="\n"),
    "keywords that are none": job({"_kwargs": [1]}),
    "keywords of any name": job({"_kwargs": {"": 1, "self": 2, "a b": 3, "\x00": 4}}),
    "too many arguments": job(*range(300)),
    # Failures with something wrong in them
    "an odd backtrace": b'{"backtrace":[1,null,{"a":[]}],"payload":{"class":"A","args":[]},"queue":"q"}',
    "late times": b'{"failed_at":"9999/12/31 23:59:59 -14","retried_at":"0000/00/00 0:0:0","run_at":"now"}',
    "early times": b'{"failed_at":"0001/01/01 00:00:00 +14","run_at":"0001-01-01T00:00:00Z","payload":{}}',
    "a failure without an end": b'{"failed_at":"2026/11/21 00:21:45 UTC","payload":{"class":"A","args":[]',
    "a failure of no queue": b'{"failed_at":"","payload":{"class":"A","args":[]},"queue":""}',
    # What is held in flight
    "held, but not all of it": b"1:4000:q{}",
    "held for long": b"0:99999999999999999999:q{}",
    "held by nobody": b"2:1:q{}",
    "held without a length": b"0::{}",
    # Names
    "a path": b"../../etc/passwd",
    "an address": b"?x=1#y/~%2F",
    "a pattern": b"[*?]{}!",
    "lines": b"a\nb\r\nc\xe2\x80\xa8d",
    "an id": b"h:1:q",
    "colons": b":::::",
    "commas": b"h:1:" + b"," * 500,
    # Other libraries'
    "Rails": b'{"class":"%s","args":[{"job_class":"A","job_id":"x","arguments":[1]}]}' % ACTIVE_JOB.encode(),
    "Rails without a job": b'{"class":"%s","args":[3]}' % ACTIVE_JOB.encode(),
    "Rails with a wrong job": b'{"class":"%s","args":[{"job_class":[]}]}' % ACTIVE_JOB.encode(),
    "Sidekiq": b'{"retry":true,"queue":"q","class":"A","args":[1],"jid":"b4a5","created_at":1.7e9}',
    "Celery": b'{"body":"W10=","content-encoding":"utf-8","headers":{"task":"a"},"properties":{}}',
}


def _recorded() -> Iterator[tuple[str, bytes]]:
    """Yield every payload, failure and worker's text that real Resque has left."""
    for path in sorted(FOLDER.glob("*.json")):
        for key, held in golden(path.stem)["keys"].items():
            values = [held["value"]] if held["type"] == "string" else held["value"]
            if held["type"] in ("string", "list"):
                yield from ((f"{path.stem} {key}", str(value).encode()) for value in values)


RUBYS = dict(_recorded())

MEGABYTES = 10_000_000


def repeated(part: bytes, start: bytes = b"", end: bytes = b"") -> bytes:
    """Return a text of some 10 MB."""
    return start + part * (MEGABYTES // len(part)) + end


LISTED = (b'{"class":"tests.sample.jobs.record","args":[', b"1]}")
HUGE: dict[str, Callable[[], bytes]] = {
    "one letter": lambda: repeated(b"x"),
    "one odd byte": lambda: repeated(b"\xff"),
    "a text": lambda: repeated(b"x", b'{"class":"tests.sample.jobs.record","args":["', b'"]}'),
    "quotes": lambda: repeated(b'\\"<', b'{"class":"tests.sample.jobs.record","args":["', b'"]}'),
    "a name": lambda: repeated(b"x", b'{"queue":"q","args":[],"class":"', b'"}'),
    "a queue": lambda: repeated(b"/", b'{"payload":{"class":"x","args":[]},"queue":"', b'"}'),
    "numbers": lambda: repeated(b"1,", *LISTED),
    "large numbers": lambda: repeated(b"1e300,", *LISTED),
    "empty lists": lambda: repeated(b"[[]],", *LISTED),
    "empty objects": lambda: repeated(b'{"a":{}},', *LISTED),
    "brackets": lambda: repeated(b"["),
    "digits": lambda: repeated(b"9"),
    "lines of a backtrace": lambda: repeated(
        b'"/gems/a.rb:1",', b'{"payload":{"class":"x","args":[]},"backtrace":[', b'""]}'
    ),
    "commas": lambda: repeated(b",", b"h:1:"),
}

TYPES: dict[str, Callable[[redis_client.Redis, str], object]] = {
    "string": lambda redis, key: redis.set(key, "x"),
    "list": lambda redis, key: redis.rpush(key, "x"),
    "set": lambda redis, key: redis.sadd(key, "x"),
    "zset": lambda redis, key: redis.zadd(key, {"x": 1}),
    "hash": lambda redis, key: redis.hset(key, "x", "y"),
    "stream": lambda redis, key: redis.xadd(key, {"x": "y"}),
}
"""How to make a key hold each type of value."""
