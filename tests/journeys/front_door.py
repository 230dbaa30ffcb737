"""The product's front door as any program may use it: plain HTTP/1.1 and JSON, nothing of ours imported."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

Row = dict[str, Any]
Connect = Callable[[str, int], http.client.HTTPConnection]
PATIENCE = 40.0


class Answer(NamedTuple):
    """Status and body of one exchange."""

    status: int
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def plain_connection(host: str, port: int) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(host, port, timeout=PATIENCE)


class Door:
    """One caller at one address. A connection is opened per call; ``open`` gives one to keep."""

    def __init__(self, url: str, token: str = "", connect: Connect = plain_connection) -> None:
        place = urlsplit(url)
        self._host, self._port = place.hostname or "", place.port or 80
        self._token, self._connect = token, connect

    def open(self) -> http.client.HTTPConnection:
        return self._connect(self._host, self._port)

    def ask(
        self, method: str, path: str, body: Any = None, wait: int = 0, over: http.client.HTTPConnection | None = None
    ) -> Answer:
        """One exchange; ``wait`` becomes ``Prefer: wait=…``; ``over`` is a kept connection."""
        headers = {"Content-Type": "application/json", "Accept-Language": "en"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        if wait:
            headers["Prefer"] = f"wait={wait}"
        connection = over or self.open()
        try:
            connection.request(method, path, None if body is None else json.dumps(body).encode(), headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.read())
        finally:
            if over is None:
                connection.close()

    def get(self, path: str, **query: str) -> Any:
        """The JSON of a 200 answer."""
        answer = self.ask("GET", f"{path}?{urlencode(query)}" if query else path)
        assert answer.status == 200, (path, answer)
        return answer.json

    def put(self, path: str, body: Any) -> Any:
        answer = self.ask("PUT", path, body)
        assert answer.status == 200, (path, answer)
        return answer.json

    def post(self, path: str, body: Any, wait: int = 0) -> Any:
        """The JSON of a 2xx answer."""
        answer = self.ask("POST", path, body, wait)
        assert 200 <= answer.status < 300, (path, answer)
        return answer.json

    def all(self, path: str, **query: str) -> list[Row]:
        """All pages of a list."""
        items: list[Row] = []
        page = self.get(path, limit="1000", **query)
        items += page["items"]
        while page["next"]:
            page = self.get(path, limit="1000", cursor=page["next"], **query)
            items += page["items"]
        return items


def until(happened: Callable[[], Any], within: float, what: str = "", every: float = 0.1) -> Any:
    """What ``happened`` gives once it is true; AssertionError when the time (seconds) is over first."""
    end = time.monotonic() + within
    while not (found := happened()):
        assert time.monotonic() < end, f"not within {within} s: {what or happened}"
        time.sleep(every)
    return found
