"""The demo's control port: faults and outages on demand, and the process ids as they are now."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx2

MOST = 64 * 1024


class Control:
    """``GET /pids``, ``/devices``; ``GET|PUT /bureau``; ``GET|PUT|DELETE /bureau/faults``, ``/devices/{no}/faults``.

    Everything else under ``/bureau/`` is for the bureau's own control port (``taxpayers/{id}``, …).
    """

    def __init__(self, bureau_port: int, devices_port: int, pids: Callable[[], dict[str, int]]) -> None:
        self._ports = {"bureau": bureau_port, "devices": devices_port}
        self._pids = pids
        handler = type("Handler", (_Handler,), {"control": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, name="control", daemon=True).start()

    @property
    def url(self) -> str:
        """Address of the control port."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        """Answer no more."""
        self._server.shutdown()

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        """Status and JSON of one call."""
        match method, path.strip("/").split("/"):
            case "GET", ["pids"]:
                return 200, json.dumps(self._pids()).encode()
            case (("GET" | "PUT"), ["bureau"]):
                return self._pass_on("bureau", method, "/state", body)
            case (("GET" | "PUT" | "DELETE"), ["bureau", *what]):
                return self._pass_on("bureau", method, "/" + "/".join(what), body)
            case "PUT", ["bureau", "returns" | "verdicts" as what]:
                return self._pass_on("bureau", method, f"/{what}", body)
            case "GET", ["bureau", "reports"]:
                return self._pass_on("bureau", method, "/reports", body)
            case "PUT", ["devices", target, "period"]:
                return self._pass_on("devices", method, f"/devices/{target}/period", body)
            case "GET", ["devices"]:
                return self._pass_on("devices", method, "/state", body)
            case (("GET" | "PUT" | "DELETE"), ["devices", target, "faults"]):
                return self._pass_on("devices", method, f"/devices/{target}/faults", body)
        return 404, b'{"message": "no such call"}'

    def _pass_on(self, process: str, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        url = f"http://127.0.0.1:{self._ports[process]}{path}"
        try:
            answer = httpx2.request(method, url, content=body, timeout=5.0, trust_env=False)
        except httpx2.HTTPError as fault:
            return 502, json.dumps({"message": str(fault)}).encode()
        return answer.status_code, answer.content


class _Handler(BaseHTTPRequestHandler):
    control: Control
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length", "0") or "0")
        body = self.rfile.read(min(length, MOST))
        status, content = self.control.answer(self.command, self.path, body)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = do_DELETE = _serve

    def log_message(self, format: str, *args: Any) -> None:
        """Keep stderr for what matters."""
