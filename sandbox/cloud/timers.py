"""Things that happen later: an instance has booted, a draining is over."""

import heapq
import itertools
import threading
import time
import traceback
from collections.abc import Callable


class Timers:
    """Runs functions at their time, one after the other, each under the cloud's lock."""

    def __init__(self, lock: threading.RLock, changing: Callable[[], None], changed: Callable[[], None]) -> None:
        self._lock = lock
        self._changing = changing
        self._changed = changed
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._wake = threading.Condition()
        threading.Thread(target=self._run, name="timers", daemon=True).start()

    def after(self, seconds: float, function: Callable[[], None]) -> None:
        if seconds <= 0:
            function()
            return
        with self._wake:
            heapq.heappush(self._queue, (time.monotonic() + seconds, next(self._order), function))
            self._wake.notify()

    def clear(self) -> None:
        with self._wake:
            self._queue.clear()

    def _run(self) -> None:
        while True:
            with self._wake:
                while not self._queue or self._queue[0][0] > time.monotonic():
                    self._wake.wait(self._queue[0][0] - time.monotonic() if self._queue else None)
                _, _, function = heapq.heappop(self._queue)
            try:
                with self._lock:
                    self._changing()
                    function()
            except Exception:  # the next one shall still come
                traceback.print_exc()
            self._changed()
