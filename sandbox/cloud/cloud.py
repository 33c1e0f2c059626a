"""The cloud as a whole: one lock, its revision, and what happens later."""

import threading
import time

from past import past
from timers import Timers

# moto's backends are not made for several threads: every call and every timer works under this lock.
lock = threading.RLock()


class Revision:
    """A number that grows with every change, and a way to wait for it."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self.number = 1

    def changed(self) -> None:
        with self._condition:
            self.number += 1
            self._condition.notify_all()

    def wait_above(self, number: int, seconds: float) -> bool:
        """Whether it grew above `number` within `seconds`."""
        deadline = time.monotonic() + seconds
        with self._condition:
            while self.number <= number:
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._condition.wait(left)
            return True


revision = Revision()
timers = Timers(lock, past.changing, revision.changed)
