"""When which device is read between jobs: at a fixed interval, sooner after an issue and while uploads are awaited."""

from __future__ import annotations

import threading
import time

from controlplane.wire.agents import DeviceAddress, Observation

Site = tuple[str, int]
_SOON = 0.8
"""Seconds after an issue, so that its upload is seen early."""
_FULL_READING = 200


class _Watched:
    """One device's schedule. Times are monotonic."""

    __slots__ = ("address", "cursor", "due", "newest", "nudged", "pace")

    def __init__(self, address: DeviceAddress, due: float, pace: float) -> None:
        self.address = address
        self.due = due
        self.pace = pace
        self.cursor = 0
        self.newest = 0
        """Highest journal position whose upload was seen."""
        self.nudged = False
        """It has issued since its last reading began."""


class Watch:
    """The schedule of all devices served. Devices of one tax server are read one after the other, by one thread."""

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._soon = min(_SOON, interval)
        self._devices: dict[str, _Watched] = {}
        self._busy: set[Site] = set()
        self._change = threading.Condition(threading.Lock())
        self._stopped = False

    def serve(self, addresses: list[DeviceAddress]) -> None:
        """Watch these devices and no others; addresses of tax servers themselves are not watched."""
        with self._change:
            now = time.monotonic()
            kept: dict[str, _Watched] = {}
            for address in addresses:
                if address.device_no is None:
                    continue
                watched = self._devices.get(address.device_no) or _Watched(address, now, self._interval)
                watched.address = address
                kept[address.device_no] = watched
            self._devices = kept
            self._change.notify_all()

    def issued(self, device_no: str | None) -> None:
        """The device has issued: read it soon."""
        watched = self._devices.get(device_no or "")
        if watched is None:
            return
        watched.nudged = True
        soon = time.monotonic() + self._soon
        if watched.due > soon:
            with self._change:
                watched.due, watched.pace = soon, self._soon
                self._change.notify()

    def cursors(self, cursors: dict[str, int]) -> None:
        """The control plane has every upload up to these positions."""
        for device_no, cursor in cursors.items():
            watched = self._devices.get(device_no)
            if watched is not None:
                watched.cursor = max(watched.cursor, cursor)

    def take(self) -> list[tuple[DeviceAddress, int]]:
        """Devices of one tax server that are due, each with its upload cursor; blocks. Empty when stopped.

        The tax server stays taken until ``release``.
        """
        with self._change:
            while not self._stopped:
                now = time.monotonic()
                free = [w for w in self._devices.values() if _site(w) not in self._busy]
                first = min(free, key=lambda watched: watched.due, default=None)
                if first is not None and first.due <= now:
                    self._busy.add(_site(first))
                    due = [w for w in free if w.due <= now and _site(w) == _site(first)]
                    for watched in due:
                        # Set beforehand too, so that a reading that fails for reasons of our own is not tried at once.
                        watched.due = now + self._interval
                        watched.nudged = False
                    return [(watched.address, watched.cursor) for watched in due]
                self._change.wait(None if first is None else first.due - now)
            return []

    def seen(self, observation: Observation) -> None:
        """A reading was taken: set the device's next one."""
        watched = self._devices.get(observation.device_no)
        if watched is None:
            return
        with self._change:
            newest = max((upload.index for upload in observation.uploads), default=watched.cursor)
            if watched.nudged or len(observation.uploads) >= _FULL_READING:
                watched.pace = self._soon
            elif observation.reachable and newest < observation.last_index:
                # Uploads are awaited: look again soon, less and less often as long as nothing comes.
                watched.pace = self._soon if newest > watched.newest else min(self._interval, watched.pace * 2)
            else:
                watched.pace = self._interval
            watched.newest = max(watched.newest, newest)
            watched.due = time.monotonic() + watched.pace

    def release(self, site: Site) -> None:
        """The tax server may be read by others again."""
        with self._change:
            self._busy.discard(site)
            self._change.notify_all()

    def stop(self) -> None:
        """Let ``take`` return."""
        with self._change:
            self._stopped = True
            self._change.notify_all()


def _site(watched: _Watched) -> Site:
    return watched.address.host, watched.address.port
