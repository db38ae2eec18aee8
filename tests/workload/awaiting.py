"""Twins of jobs.py that are ``async def``: each does what the job of its name does, and awaits."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from asyncio import CancelledError
from collections.abc import Awaitable, Callable

from jobqueue import job
from tests.workload import waiting
from tests.workload.account import ACCOUNT
from tests.workload.crashing import DEATHS
from tests.workload.keeper import beginnings, ledger, note


@job(queue="work")
async def perform(number: int, seconds: float = 0.0) -> None:
    await asyncio.sleep(seconds)
    note(str(number))


@job(queue="work")
async def begin_and_wait(number: int, seconds: float) -> None:
    note(f"began {number}")
    await asyncio.sleep(seconds)
    note(str(number))


@job(queue="work")
async def count(number: int) -> None:
    os.write(ACCOUNT, b"%d\n" % number)


@job(queue="work")
async def fail(number: int) -> None:
    raise ValueError(f"job {number} fails")


@job(queue="work")
async def die(number: int) -> None:
    note(f"died {number}")
    os.kill(os.getpid(), signal.SIGKILL)


@job(queue="work")
async def crash(number: int, way: str) -> None:
    note(f"began {number} in {os.getpid()}")
    DEATHS[way]()


@job(queue="work", on_crash="retry")
async def try_again(number: int, way: str, deaths: int) -> None:
    note(f"began {number} in {os.getpid()}")
    if beginnings(number) <= deaths:
        DEATHS[way]()
    note(str(number))


@job(queue="work", on_crash="retry", max_crashes=2)
async def try_again_once(number: int, way: str) -> None:
    note(f"began {number} in {os.getpid()}")
    DEATHS[way]()


@job(queue="work", on_crash="retry")
async def try_again_long(number: int, seconds: float) -> None:
    is_first = f"began {number}" not in ledger()
    note(f"began {number}")
    await asyncio.sleep(seconds if is_first else 0)
    note(str(number))


async def sleep() -> None:
    await asyncio.sleep(600)


async def wait_for_thread() -> None:
    await asyncio.to_thread(time.sleep, 10)


async def wait_for_process() -> None:
    program = await asyncio.create_subprocess_exec("sleep", "600")
    try:
        await program.wait()
    finally:
        program.kill()
        await program.wait()


async def spin() -> None:
    waiting.spin()


async def compute_in_c() -> None:
    waiting.compute_in_c()


async def swallow() -> None:
    while True:
        try:
            await sleep()
        except CancelledError:
            continue


WAYS: dict[str, Callable[[], Awaitable[None]]] = {
    each.__name__: each for each in (sleep, wait_for_thread, wait_for_process, spin, compute_in_c, swallow)
}
"""Ways of a coroutine to take longer than it may."""


@job(queue="work", timeout=1)
async def overrun(number: int, way: str) -> None:
    note(f"began {number} in {os.getpid()}")
    await WAYS[way]()


@job(queue="work", timeout=1, on_crash="retry")
async def try_again_overrun(number: int) -> None:
    note(f"began {number} in {os.getpid()}")
    await compute_in_c()


@job(queue="work", timeout=1)
async def overrun_and_clean_up(number: int, raises: bool) -> None:
    try:
        await sleep()
    except CancelledError as error:
        note(f"cleaned up {number}: {error}")
        if raises:
            raise


@job(queue="work")
async def clean_up(number: int) -> None:
    note(f"began {number}")
    await sleep()


@job(queue="work", timeout=float("inf"))
async def take_all_time(number: int, seconds: float) -> None:
    await asyncio.sleep(seconds)
    note(str(number))


@job(queue="work", timeout=1)
class Timed:
    @staticmethod
    async def perform(number: int) -> None:
        await sleep()

    @staticmethod
    def on_failure(error: BaseException, number: int) -> None:
        note(f"{type(error).__name__} in {number}")
