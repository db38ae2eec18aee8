"""Where a Redis is, read from every form of address that users and Resque write."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, NoReturn
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

from jobqueue.exceptions import InvalidRedisURL
from jobqueue.sentinels import Sentinels, bracketed

DEFAULT_PORT = 6379
DEFAULT_SENTINEL_PORT = 26379
ACCEPTED_FORMS = (
    "redis://[user:password@]host:port/db, rediss://… (TLS), unix:///path/of/the/socket?db=0, "
    "redis+sentinel://[user:password@]host:port,host:port,…/service/db, rediss+sentinel://… (TLS), "
    "host:port, host:port:db, host:port/namespace and host:port:db/namespace "
    "(a password's special characters are written like %40)"
)
MISPLACED = "a / or ? stands before its @; a password must write them as %2F and %3F"
SCHEMES = frozenset({"redis", "rediss", "unix"})
TLS_OPTIONS = frozenset(
    {"ssl_ca_certs", "ssl_cert_reqs", "ssl_certfile", "ssl_check_hostname", "ssl_keyfile"}
)
SENTINEL_OPTIONS = frozenset({"sentinel_username", "sentinel_password"})
CERTIFICATE_CHECKS = ("none", "optional", "required")
SHORT_FORM = re.compile(
    r"(?P<host>\[[0-9a-f:.]+\]|[^\s:/@\[\]]+):(?P<port>\d+)(?::(?P<db>\d+))?(?:/(?P<namespace>.*))?",
    re.ASCII | re.IGNORECASE,
)
SENTINEL_FORM = re.compile(
    r"(?P<scheme>rediss?)\+sentinel://(?P<login>[^/?#]*@)?(?P<hosts>[^/?#]*)/?(?P<service>[^/?#]*)(?P<rest>.*)",
    re.ASCII | re.IGNORECASE,
)
HOST_AND_PORT = re.compile(
    r"(?P<host>\[[0-9a-f:.]+\]|[^\s:\[\]]+)(?::(?P<port>.*))?", re.ASCII | re.IGNORECASE
)


@dataclass(frozen=True, kw_only=True, slots=True)
class RedisAddress:
    """One database of one Redis; equal addresses lead to the same connections."""

    host: str = ""
    """Empty for a unix socket, and for a master that Sentinels tell."""
    port: int = DEFAULT_PORT
    path: str = ""
    """The unix socket; empty for TCP."""
    db: int = 0
    username: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False
    tls_options: tuple[tuple[str, str], ...] = ()
    sentinels: Sentinels | None = None
    """Who is asked for the host and port of the master; None if these are known."""
    namespace: str | None = None
    """The namespace that stands in the address; None if there is none in it."""

    @staticmethod
    def parse(text: str) -> RedisAddress:
        """Return the address that ``text`` means; raises InvalidRedisURL, which hides any password."""
        return _parse(text.strip())

    @property
    def masked(self) -> str:
        """The address as a URL for messages, pages and logs, its password hidden."""
        user = f"{quote(self.username)}:***@" if self.password else ""
        if not user and self.username:
            user = f"{quote(self.username)}@"
        if self.path:
            return f"unix://{user}{quote(self.path)}" + (f"?db={self.db}" if self.db else "")
        scheme = "rediss" if self.tls else "redis"
        if self.sentinels:
            service = quote(self.sentinels.service)
            return f"{scheme}+sentinel://{user}{self.sentinels.listed}/{service}/{self.db}"
        return f"{scheme}://{user}{bracketed(self.host)}:{self.port}/{self.db}"

    def __str__(self) -> str:
        return self.masked

    def connection_kwargs(self) -> dict[str, Any]:
        """Return the arguments of redis-py's connection classes, the password among them."""
        where: dict[str, Any] = {"path": self.path} if self.path else {"host": self.host, "port": self.port}
        return {
            **({} if self.sentinels else where),
            **self.tls_kwargs(),
            "db": self.db,
            "username": self.username or None,
            "password": self.password or None,
        }

    def tls_kwargs(self) -> dict[str, Any]:
        """Return the arguments for TLS, the same for the Sentinels and for the Redis they name."""
        return {name: _tls_value(name, value) for name, value in self.tls_options}


@lru_cache(maxsize=16)
def _parse(text: str) -> RedisAddress:
    if match := SENTINEL_FORM.fullmatch(text):
        return _parse_sentinel_url(text, match)
    if "://" in text:
        return _parse_url(text, text)
    match = SHORT_FORM.fullmatch(text)
    if not match:
        _refuse(text, "it has no redis://, rediss:// or unix:// in front and is no host:port either")
    return RedisAddress(
        host=match["host"].strip("[]"),
        port=_port(text, match["port"]),
        db=int(match["db"] or 0),
        namespace=match["namespace"],
    )


def _parse_sentinel_url(text: str, match: re.Match[str]) -> RedisAddress:
    if "@" in match["service"]:
        _refuse(text, MISPLACED)
    plain = f"{match['scheme']}://{match['login'] or ''}sentinel{match['rest']}"
    own, query = _without_sentinel_options(plain)
    address = _parse_url(text, own)
    if not match["service"]:
        _refuse(text, "it names no service: the Sentinels' name for the master, often /mymaster")
    nodes = tuple(_node(text, each) for each in match["hosts"].split(","))
    sentinels = Sentinels(
        nodes=nodes,
        service=unquote(match["service"]),
        username=query.get("sentinel_username", ""),
        password=query.get("sentinel_password", ""),
    )
    return replace(address, host="", sentinels=sentinels)


def _without_sentinel_options(url: str) -> tuple[str, dict[str, str]]:
    """Take the Sentinels' own options out of a URL; a plus stands for itself, as in a password."""
    head, _, query = url.partition("?")
    parts = query.split("&") if query else []
    own = [part for part in parts if part.partition("=")[0] in SENTINEL_OPTIONS]
    rest = "&".join(part for part in parts if part not in own)
    taken = {name: unquote(value) for name, _, value in (part.partition("=") for part in own)}
    return (f"{head}?{rest}" if rest else head), taken


def _node(text: str, place: str) -> tuple[str, int]:
    match = HOST_AND_PORT.fullmatch(place)
    if not match:
        _refuse(text, "its Sentinels are no host:port,host:port,…")
    port = match["port"] or str(DEFAULT_SENTINEL_PORT)
    return unquote(match["host"].strip("[]")), _port(text, port)


def _parse_url(text: str, plain: str) -> RedisAddress:
    """Read a URL; ``text`` is what the person wrote, for the messages."""
    url = _split(text, plain)
    options = _options(text, url)
    db = _db(text, options.pop("db", "") or ("" if url.scheme == "unix" else url.path[1:].partition("/")[0]))
    return RedisAddress(
        **_place(text, url),
        db=db,
        username=unquote(url.username or ""),
        password=unquote(url.password or ""),
        tls=url.scheme == "rediss",
        tls_options=tuple(sorted(options.items())),
    )


def _split(text: str, plain: str) -> SplitResult:
    try:
        url = urlsplit(plain)
    except ValueError:
        url = None
    if url is None:
        # Outside the handler, because the ValueError may quote the password and must not be chained.
        _refuse(text, "it is no well-formed URL")
    if url.scheme not in SCHEMES:
        _refuse(text, "it does not begin with redis://, rediss://, unix:// or redis+sentinel://")
    if url.fragment:
        _refuse(text, "it contains a #, which a password must write as %23")
    if url.scheme != "unix" and "@" in url.path + url.query:
        _refuse(text, MISPLACED)
    return url


def _place(text: str, url: SplitResult) -> dict[str, Any]:
    if url.scheme == "unix":
        if url.hostname or not url.path.strip("/"):
            _refuse(text, "the path of a unix socket is absolute: three slashes stand before it")
        return {"path": unquote(url.path)}
    port = url.netloc.rpartition("@")[2].rpartition("]")[2].partition(":")[2]
    if not url.hostname:
        _refuse(text, "it names no host")
    return {"host": unquote(url.hostname), "port": _port(text, port or str(DEFAULT_PORT))}


def _port(text: str, port: str) -> int:
    if not re.fullmatch(r"\d{1,5}", port, re.ASCII) or not 0 < int(port) < 65536:
        _refuse(text, "its port is no number between 1 and 65535")
    return int(port)


def _db(text: str, db: str) -> int:
    if not re.fullmatch(r"\d{0,9}", db, re.ASCII):
        _refuse(text, "its database is no number")
    return int(db or 0)


def _options(text: str, url: SplitResult) -> dict[str, str]:
    options = dict(parse_qsl(url.query, keep_blank_values=True))
    allowed = {"db"} | (TLS_OPTIONS if url.scheme == "rediss" else frozenset())
    if unknown := sorted(options.keys() - allowed):
        # An unknown name may be a part of a password with a question mark, so it is not shown.
        _refuse(text, f"{len(unknown)} of its options are unknown; known are {', '.join(sorted(allowed))}")
    if options.get("ssl_cert_reqs", "none") not in CERTIFICATE_CHECKS:
        _refuse(text, f"its ssl_cert_reqs is none of {', '.join(CERTIFICATE_CHECKS)}")
    return options


def _tls_value(name: str, value: str) -> str | bool:
    if name == "ssl_check_hostname":
        return value.lower() not in {"0", "false", "no"}
    return value


def _refuse(text: str, reason: str) -> NoReturn:
    raise InvalidRedisURL(
        f"{_masked(text)!r} is no address of a Redis: {reason}. Accepted are {ACCEPTED_FORMS}."
    )


def _masked(text: str) -> str:
    """Hide all of a broken address that could be a part of a password."""
    text = text.partition("sentinel_password")[0].rstrip("?&")
    start, separator, rest = text.rpartition("@")
    if separator:
        scheme, slashes, _ = start.partition("://")
        return f"{scheme}://***@{rest}" if slashes else f"***@{rest}"
    scheme, slashes, rest = text.rpartition("://")
    rest = re.sub(r":(?!\d+(?:[/:?]|$))[^/]*", ":***", rest.partition("?")[0])
    return f"{scheme}{slashes}{rest}"
