"""What the operating system's signals have said, for loops to look at between two steps."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

from jobqueue import lifeline
from jobqueue.interruption import END_SIGNAL
from jobqueue.stopping import STOP_SIGNALS, StopPlan, StopPlans
from jobqueue.systemsignals import handle

SAME_SECONDS = 1.0
"""Signals that follow this soon are one: a terminal, honcho and systemd each signal the whole group."""
PAUSE_SIGNAL, CONTINUE_SIGNAL = signal.SIGUSR2, signal.SIGCONT
RENEW_SIGNAL = signal.SIGHUP
STACKS_SIGNAL = signal.SIGTTIN
HEARD = (*STOP_SIGNALS, PAUSE_SIGNAL, CONTINUE_SIGNAL, RENEW_SIGNAL, signal.SIGCHLD)
PASSED_ON = (END_SIGNAL, STACKS_SIGNAL)
"""Meant for processes that perform jobs; a parent of such a process hears them for it."""
MEANING = {
    **dict.fromkeys(STOP_SIGNALS, "stopping"),
    END_SIGNAL: "ending the running jobs",
    PAUSE_SIGNAL: "pausing after the running jobs",
    CONTINUE_SIGNAL: "continuing",
    RENEW_SIGNAL: "taking new code, if it starts",
    STACKS_SIGNAL: "asking the workers for their stacks",
}
"""What a supervisor does that hears one."""


class Attention:
    """Notes signals without acting on them, and lets a loop sleep until one comes.

    ``fd`` is readable once a signal has come. Make it in the main thread of the process it serves.
    """

    def __init__(
        self,
        plans: StopPlans,
        *,
        supervisor: int = 0,
        is_led: Callable[[], bool] = lambda: False,
        is_paused: bool = False,
    ) -> None:
        """``supervisor`` is the pid of the process whose death is one more signal to stop.

        ``is_led`` tells whether it has told this process to leave. Then it decides on a second signal, and
        what it passes on late is no second one.
        """
        self._plans = plans
        self._supervisor = supervisor
        self._is_led = is_led
        self.is_paused = is_paused
        self.is_free = not is_paused
        """The next job may begin: this process was told neither to stop nor to pause."""
        self.stops = 0
        """How many times this process was told to stop."""
        self.stop_signal = 0
        """The signal that told it first."""
        self.plan = plans.graceful
        """What that signal means."""
        self.finish_by = self.stop_by = float("inf")
        """Until when the running job may run, and when all has to be over: seconds of ``time.monotonic``."""
        self._news: dict[int, float] = {}
        self._counted: dict[int, float] = {}
        self._passes_on = False
        self._has_terminal = os.isatty(0)
        self._handler = self._note
        """One object for all signals, which a child that hears them otherwise does not have to free."""
        self.fd, self._write_fd = os.pipe()
        for end in (self.fd, self._write_fd):
            os.set_blocking(end, False)
        self._poll = select.poll()
        self._poll.register(self.fd, select.POLLIN)
        self.listen()

    def pass_on(self) -> None:
        """Hear as news what is meant for the processes that perform jobs."""
        self._passes_on = True
        handle(STACKS_SIGNAL, self._handler)
        self.listen()

    def listen(self) -> None:
        """Hear signals, again if a job has made something else hear them."""
        signal.set_wakeup_fd(self._write_fd, warn_on_full_buffer=False)
        for number in HEARD:
            handle(number, self._handler)
        # Any handler makes the end of a child write to ``fd``, and each child's end runs this one
        handle(signal.SIGCHLD, do_nothing)
        if self._passes_on:
            handle(END_SIGNAL, self._handler)

    @property
    def is_stopping(self) -> bool:
        return self.stops > 0

    @property
    def cleanup_seconds(self) -> float:
        """How long a job that an operator ends may clean up."""
        return self._plans.graceful.cleanup_seconds

    @property
    def is_ending(self) -> bool:
        """The running job has had its time, and is to be ended."""
        return time.monotonic() >= self.finish_by

    @property
    def is_overdue(self) -> bool:
        """The time to stop gracefully is over."""
        return time.monotonic() >= self.stop_by

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Do as if a signal to stop had come; a second one wants the end at once."""
        now = time.monotonic()
        if not self.stops:
            self._begin_stop(number, self._plans.of(number))
        elif now - self._stopped_at > SAME_SECONDS and not self._is_led():
            self.stops += 1
            self.finish_by = self.stop_by = now

    def look_for_supervisor(self) -> None:
        """Stop if the supervisor has died; then time is short, even if it had no limit before."""
        if not self._supervisor or not lifeline.is_orphan(self._supervisor):
            return
        self._supervisor = 0
        plan = self._plans.for_orphans
        if not self.stops or self.stop_by > time.monotonic() + plan.seconds:
            self._begin_stop(signal.SIGTERM, plan)

    def news(self) -> list[int]:
        """Return the signals that have come since the last call, each once, the last one last."""
        news, self._news = self._news, {}
        return list(news)

    def counts(self, number: int) -> bool:
        """Tell of a signal that has come now whether it is a new one, or the last one once more."""
        now = time.monotonic()
        is_new = now - self._counted.get(number, float("-inf")) > SAME_SECONDS
        if is_new:
            self._counted[number] = now
        return is_new

    def sleep(self, seconds: float) -> None:
        """Sleep until a signal comes, or time is over."""
        self._poll.poll(max(0.0, seconds) * 1000)
        self.drain()

    def wake(self) -> None:
        """End the sleep under way, or the next one. For any thread."""
        with suppress(BlockingIOError):
            os.write(self._write_fd, b"\0")

    def drain(self) -> None:
        """Forget the signals that have been looked at."""
        try:
            while len(os.read(self.fd, 512)) == 512:
                pass
        except BlockingIOError:
            pass

    def close(self) -> None:
        """Give the signals back to whoever comes next."""
        signal.set_wakeup_fd(-1)
        for number in (*HEARD, *(PASSED_ON if self._passes_on else ())):
            signal.signal(number, signal.SIG_DFL)
        os.close(self.fd)
        os.close(self._write_fd)

    def _begin_stop(self, number: int, plan: StopPlan) -> None:
        self._stopped_at = time.monotonic()
        self.stop_signal, self.plan = number, plan
        self.finish_by = self._stopped_at + plan.finish_seconds
        self.stop_by = self._stopped_at + plan.seconds
        self.stops = self.stops or 1
        self.is_free = False

    def _note(self, number: int, frame: FrameType | None) -> None:
        if number in STOP_SIGNALS:
            # The end of the supervisor comes as such a signal too
            self.look_for_supervisor()
            self.stop(number)
            self._tell(number)
        elif number in (PAUSE_SIGNAL, CONTINUE_SIGNAL):
            self.is_paused = number == PAUSE_SIGNAL
            self.is_free = not (self.is_paused or self.is_stopping)
            # Passed on together, they could come in the other order
            self._news.pop(CONTINUE_SIGNAL if self.is_paused else PAUSE_SIGNAL, None)
            self._tell(number)
        elif number == RENEW_SIGNAL and self._has_terminal and not os.isatty(0):
            # The terminal was closed: nobody asked for new code
            self._note(signal.SIGTERM, frame)
        elif self.counts(number):
            self._tell(number)

    def _tell(self, number: int) -> None:
        self._news.pop(number, None)
        self._news[number] = time.monotonic()


def do_nothing(number: int, frame: FrameType | None) -> None:
    """Hear a signal, which is neither ignored nor deadly then."""
