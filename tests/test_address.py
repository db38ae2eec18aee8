from __future__ import annotations

import pytest

from jobqueue.address import RedisAddress
from jobqueue.exceptions import InvalidRedisURL


@pytest.mark.parametrize(
    ("text", "host", "port", "db", "namespace"),
    [
        # Resque's table of connection strings
        ("localhost:6379", "localhost", 6379, 0, None),
        ("localhost:6379:1", "localhost", 6379, 1, None),
        ("localhost:6379:1/myns", "localhost", 6379, 1, "myns"),
        ("localhost:6379/a/b", "localhost", 6379, 0, "a/b"),
        ("localhost:6379/resque:GitHub", "localhost", 6379, 0, "resque:GitHub"),
        ("localhost:6379/", "localhost", 6379, 0, ""),
        ("redis://localhost:6379/2", "localhost", 6379, 2, None),
        ("redis://localhost:6379/2/myns", "localhost", 6379, 2, None),
        # left out parts
        ("redis://redis.example", "redis.example", 6379, 0, None),
        ("redis://redis.example/", "redis.example", 6379, 0, None),
        ("redis://redis.example:1?db=3", "redis.example", 1, 3, None),
        # IPv6, and white space of an environment file
        ("redis://[::1]:7000/1", "::1", 7000, 1, None),
        ("redis://[::1]/1", "::1", 6379, 1, None),
        ("[::1]:7000:1", "::1", 7000, 1, None),
        (" redis://localhost \n", "localhost", 6379, 0, None),
    ],
)
def test_host_port_database_and_namespace_are_read(
    text: str, host: str, port: int, db: int, namespace: str | None
) -> None:
    address = RedisAddress.parse(text)

    assert (address.host, address.port, address.db, address.namespace) == (host, port, db, namespace)


@pytest.mark.parametrize(
    ("text", "path", "db"),
    [
        ("unix:///run/redis.sock", "/run/redis.sock", 0),
        ("unix:///run/redis.sock?db=2", "/run/redis.sock", 2),
        ("unix:///my%20folder/redis.sock", "/my folder/redis.sock", 0),
        ("unix://person:secret@/run/redis.sock", "/run/redis.sock", 0),
    ],
)
def test_a_unix_socket_is_read(text: str, path: str, db: int) -> None:
    address = RedisAddress.parse(text)

    assert (address.path, address.db, address.host) == (path, db, "")


@pytest.mark.parametrize(
    ("text", "username", "password"),
    [
        ("redis://person:secret@host", "person", "secret"),
        ("redis://:secret@host", "", "secret"),
        ("redis://person@host", "person", ""),
        ("redis://p%40erson:s%2Fe%3Ac%25ret@host", "p@erson", "s/e:c%ret"),
        ("redis://:s@cret@host", "", "s@cret"),
        ("unix://person:secret@/run/redis.sock", "person", "secret"),
    ],
)
def test_user_and_password_are_read(text: str, username: str, password: str) -> None:
    address = RedisAddress.parse(text)

    assert (address.username, address.password) == (username, password)


def test_tls_is_asked_for_by_rediss() -> None:
    address = RedisAddress.parse(
        "rediss://host?ssl_cert_reqs=none&ssl_check_hostname=false&ssl_ca_certs=/ca.pem"
    )

    assert address.tls
    assert address.connection_kwargs() == {
        "host": "host",
        "port": 6379,
        "db": 0,
        "username": None,
        "password": None,
        "ssl_ca_certs": "/ca.pem",
        "ssl_cert_reqs": "none",
        "ssl_check_hostname": False,
    }


def test_equal_addresses_are_equal_values() -> None:
    assert RedisAddress.parse("redis://host:6379/0") == RedisAddress.parse("redis://host")
    assert RedisAddress.parse("redis://host/0") != RedisAddress.parse("redis://host/1")


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("redis://host", "redis://host:6379/0"),
        ("localhost:6379:1/myns", "redis://localhost:6379/1"),
        ("redis://:secret@host:1/2", "redis://:***@host:1/2"),
        ("redis://person:secret@host", "redis://person:***@host:6379/0"),
        ("redis://person@host", "redis://person@host:6379/0"),
        ("rediss://:secret@[::1]", "rediss://:***@[::1]:6379/0"),
        ("unix:///run/redis.sock?db=2", "unix:///run/redis.sock?db=2"),
        ("unix://:secret@/run/redis.sock", "unix://:***@/run/redis.sock"),
    ],
)
def test_the_masked_text_is_a_url_without_password(text: str, masked: str) -> None:
    address = RedisAddress.parse(text)

    assert address.masked == str(address) == masked
    assert "secret" not in f"{address!r}"


@pytest.mark.parametrize(
    ("text", "shown", "reason"),
    [
        ("", "", "no redis://, rediss:// or unix:// in front"),
        ("localhost", "localhost", "is no host:port either"),
        ("localhost:redis", "localhost:***", "is no host:port either"),
        ("host:99999", "host:99999", "its port is no number between 1 and 65535"),
        ("http://host", "http://host", "does not begin with redis://"),
        ("redis://", "redis://", "names no host"),
        ("redis://host:0", "redis://host:0", "its port is no number between 1 and 65535"),
        ("redis://host:99999", "redis://host:99999", "its port is no number between 1 and 65535"),
        ("redis://host/first", "redis://host/first", "its database is no number"),
        ("redis://host/-1", "redis://host/-1", "its database is no number"),
        ("redis://[::1", "redis://[:***", "no well-formed URL"),
        ("redis://host?timeout=secret", "redis://host", "1 of its options are unknown; known are db"),
        ("rediss://host?ssl_cert_reqs=some", "rediss://host", "is none of none, optional, required"),
        ("unix://run/redis.sock", "unix://run/redis.sock", "three slashes stand before it"),
        ("unix://", "unix://", "three slashes stand before it"),
        # passwords whose special characters are not escaped, or whose host is forgotten
        ("redis://person:se/secret@host:1/0", "redis://***@host:1/0", "must write them as %2F and %3F"),
        ("redis://person:1/2/secret@host:1/0", "redis://***@host:1/0", "must write them as %2F and %3F"),
        ("redis://:se#secret@host:1/0", "redis://***@host:1/0", "which a password must write as %23"),
        ("redis://:se?secret@host:1/0", "redis://***@host:1/0", "must write them as %2F and %3F"),
        ("redis://:secret", "redis://:***", "names no host"),
        ("redis://person:secret", "redis://person:***", "its port is no number"),
        ("redis://[:secret@host", "redis://***@host", "no well-formed URL"),
        (":secret@host:1", "***@host:1", "is no host:port either"),
    ],
)
def test_a_wrong_address_is_refused_with_the_reason_and_without_password(
    text: str, shown: str, reason: str
) -> None:
    with pytest.raises(InvalidRedisURL) as refused:
        RedisAddress.parse(text)

    message = str(refused.value)
    assert message.startswith(f"{shown!r} is no address of a Redis: ")
    assert reason in message
    assert "Accepted are redis://[user:password@]host:port/db, rediss://" in message
    assert "secret" not in message
    assert refused.value.__context__ is None


# Sentinels


@pytest.mark.parametrize(
    ("text", "nodes", "service", "db"),
    [
        ("redis+sentinel://h1:26379,h2:26380/mymaster/3", (("h1", 26379), ("h2", 26380)), "mymaster", 3),
        ("redis+sentinel://h1,h2/jobs", (("h1", 26379), ("h2", 26379)), "jobs", 0),
        (
            "redis+sentinel://[::1]:7,10.0.0.2,[fe80::1]/m/",
            (("::1", 7), ("10.0.0.2", 26379), ("fe80::1", 26379)),
            "m",
            0,
        ),
        ("Redis+Sentinel://h1/m%2Fn/1", (("h1", 26379),), "m/n", 1),
    ],
)
def test_sentinels_and_their_service_are_read(text, nodes, service, db):
    address = RedisAddress.parse(text)

    assert address.sentinels is not None
    assert (address.sentinels.nodes, address.sentinels.service, address.db) == (nodes, service, db)
    assert "host" not in address.connection_kwargs()


def test_the_master_and_the_sentinels_have_logins_of_their_own() -> None:
    address = RedisAddress.parse(
        "rediss+sentinel://person:s%40cret@h1,h2/m/0?ssl_ca_certs=/ca.pem"
        "&sentinel_username=guard&sentinel_password=w%40t+secret"
    )

    assert (address.username, address.password, address.tls) == ("person", "s@cret", True)
    assert address.sentinels is not None
    assert (address.sentinels.username, address.sentinels.password) == ("guard", "w@t+secret")
    assert address.connection_kwargs()["ssl_ca_certs"] == "/ca.pem"
    assert address.masked == "rediss+sentinel://person:***@h1:26379,h2:26379/m/0"
    assert "secret" not in f"{address!r}{address}"


@pytest.mark.parametrize(
    ("text", "shown", "reason"),
    [
        ("redis+sentinel://h1,h2", "redis+sentinel://h1,h2", "it names no service"),
        ("redis+sentinel://h1//0", "redis+sentinel://h1//0", "it names no service"),
        ("redis+sentinel:///m/0", "redis+sentinel:///m/0", "its Sentinels are no host:port,host:port"),
        (
            "redis+sentinel://h1,,h2/m",
            "redis+sentinel://h1,,h2/m",
            "its Sentinels are no host:port,host:port",
        ),
        ("redis+sentinel://h1:0/m", "redis+sentinel://h1:0/m", "its port is no number between 1 and 65535"),
        ("redis+sentinel://h1/m/first", "redis+sentinel://h1/m/first", "its database is no number"),
        ("redis+sentinel://h1/m?role=secret", "redis+sentinel://h1/m", "1 of its options are unknown"),
        ("redis+sentinel://u:se/cr@h1/m", "redis+sentinel://***@h1/m", "must write them as %2F and %3F"),
        ("redis+sentinel://u:secret,h1/m", "redis+sentinel://u:***/m", "its port is no number"),
        (
            "redis+sentinel://u:secret@h1/m?sentinel_password=sec@ret&x=1",
            "redis+sentinel://***@h1/m",
            "1 of its options are unknown",
        ),
        ("redis+sentinel://h1/m?sentinel_pass=secret", "redis+sentinel://h1/m", "are unknown"),
        ("sentinel://h1/m", "sentinel://h1/m", "it does not begin with redis://"),
    ],
)
def test_a_wrong_address_of_sentinels_is_refused_without_password(text: str, shown: str, reason: str) -> None:
    with pytest.raises(InvalidRedisURL) as refused:
        RedisAddress.parse(text)

    message = str(refused.value)
    assert message.startswith(f"{shown!r} is no address of a Redis: ")
    assert reason in message
    assert "redis+sentinel://[user:password@]host:port,host:port" in message
    assert "secret" not in message and "ret&" not in message
    assert refused.value.__context__ is None
