"""Start, stop and find the embedded Redis of this project."""

from __future__ import annotations

import argparse
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from jobqueue import connection
from jobqueue.address import RedisAddress
from jobqueue.embedded import EmbeddedServer, project_directory
from jobqueue.exceptions import JobQueueError

NOT_RUNNING = 3
"""Exit code of ``status`` for a stopped server, as of a system's own services."""


class Command(BaseCommand):
    help = "The embedded Redis of this project, which is used while no REDIS_URL is set and DEBUG is on."
    requires_system_checks = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "action",
            choices=["start", "stop", "status", "url"],
            help="url prints what redis-cli needs, as in: redis-cli $(manage.py jobredis url)",
        )

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        server = EmbeddedServer(project_directory())
        try:
            getattr(self, action)(server)
        except (JobQueueError, OSError) as error:
            raise CommandError(str(error)) from error

    def start(self, server: EmbeddedServer) -> None:
        if self._other():
            raise CommandError(f"This site uses the Redis at {self._other()}; unset REDIS_URL to embed one.")
        if not settings.DEBUG:
            raise CommandError("An embedded Redis is for DEBUG = True only; set REDIS_URL in production.")
        outcome = "is started" if server.start() else "ran already"
        self.stdout.write(f"The embedded Redis {outcome}: {server.address}")

    def stop(self, server: EmbeddedServer) -> None:
        stopped = server.stop()
        self.stdout.write(
            f"The embedded Redis {'is stopped; its data is kept' if stopped else 'did not run'}."
        )

    def status(self, server: EmbeddedServer) -> None:
        if self._other():
            self.stdout.write(f"This site uses the Redis at {self._other()}.")
        pid = server.pid
        if pid is None:
            raise CommandError("The embedded Redis does not run.", returncode=NOT_RUNNING)
        self.stdout.write(f"The embedded Redis runs as process {pid}: {server.address}")

    def url(self, server: EmbeddedServer) -> None:
        address = self._other() or server.address
        if address.password:
            self.stderr.write("The password is left out; redis-cli takes it from REDISCLI_AUTH.")
        if address.sentinels:
            with connection.reaching():
                address = connection.master()
        self.stdout.write(_redis_cli_options(address))

    def _other(self) -> RedisAddress | None:
        """Return the Redis that takes the embedded one's place."""
        return RedisAddress.parse(text) if (text := connection.configured_url()) else None


def _redis_cli_options(address: RedisAddress) -> str:
    where = f"-s {address.path}" if address.path else f"-h {address.host} -p {address.port}"
    tls = " --tls" if address.tls else ""
    user = f" --user {address.username}" if address.username else ""
    return f"{where}{tls}{user} -n {address.db}"
