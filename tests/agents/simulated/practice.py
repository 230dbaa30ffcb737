"""Starts the simulated processes for a test and speaks the dialect to them, written apart from both sides."""

from __future__ import annotations

import base64
import hashlib
import http.client
import itertools
import json
import select
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

TAXPAYER = "91990000MA0000015Q"
_serials = itertools.count(1)


class NoAnswer(Exception):
    """The device gave no whole answer."""


def serial(prefix: str = "T") -> str:
    return f"{prefix}{next(_serials):031d}"


def launch(room: str, config: Path, *more: str) -> tuple[subprocess.Popen[bytes], dict[str, Any]]:
    """Start one process and read its ready line."""
    command = [sys.executable, "-m", "agents.simulated", room, "--config", str(config), "--die-with-stdin", *more]
    return await_ready(command)


def await_ready(command: list[str]) -> tuple[subprocess.Popen[bytes], dict[str, Any]]:
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    if not select.select([process.stdout], [], [], 15)[0]:
        process.kill()
        raise AssertionError("no ready line")
    return process, json.loads(process.stdout.readline())


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill -9 and clean up."""
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


def ask_http(port: int, method: str, path: str, body: Any = None, timeout: float = 8) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request(method, path, None if body is None else json.dumps(body))
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def envelope(code: str, body: dict[str, Any]) -> bytes:
    content = base64.b64encode(json.dumps(body, ensure_ascii=False).encode()).decode()
    return json.dumps(
        {
            "globalInfo": {"appId": "test", "interfaceCode": code, "dataExchangeId": "x"},
            "returnStateInfo": {"returnCode": "", "returnMessage": ""},
            "data": {"content": content, "contentKey": hashlib.sha256(content.encode()).hexdigest()},
        }
    ).encode()


class Wire:
    """A keep-alive connection to one tax server."""

    def __init__(self, port: int, timeout: float = 8) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)

    def __call__(self, code: str, **body: Any) -> dict[str, Any]:
        """The inner answer; raises NoAnswer or ConnectionRefusedError."""
        try:
            self.connection.request("POST", "/gp", envelope(code, body))
            raw = json.loads(self.connection.getresponse().read())
        except ConnectionRefusedError:
            raise
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.connection.close()
            raise NoAnswer(repr(error)) from error
        assert raw["returnStateInfo"]["returnCode"] == "0000", raw
        content = raw["data"]["content"]
        assert hashlib.sha256(content.encode()).hexdigest() == raw["data"]["contentKey"]
        answer: dict[str, Any] = json.loads(base64.b64decode(content))
        return answer

    def good(self, code: str, **body: Any) -> dict[str, Any]:
        answer = self(code, **body)
        assert answer["CODE"] == "0000", (code, answer)
        return answer

    def close(self) -> None:
        self.connection.close()


def until(condition: Callable[[], Any], seconds: float = 8) -> Any:
    """Wait for something to become true; what it became."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.01)
    return value


class Practice:
    """A bureau and a devices process in one folder, and short words for what tests do with them."""

    def __init__(self, folder: Path, speed: float = 50, servers: int = 1, **bureau: Any) -> None:
        self.folder = folder
        self.wires: list[Wire] = []
        self.speed = speed
        self.places = [{"tax_server_no": f"S{n}", "region": "1100", "quota": 300} for n in range(servers)]
        self.bureau_config = self._write("bureau", state_dir=str(folder / "b"), speed=speed, **bureau)
        self.bureau, self.bureau_facts = launch("bureau", self.bureau_config)
        self.devices_options: dict[str, Any] = {"latency": 0.05}
        self.start_devices()

    def _write(self, name: str, **config: Any) -> Path:
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps(config))
        return path

    def start_devices(self) -> None:
        config = self._write(
            "devices",
            servers=self.places,
            journals_dir=str(self.folder / "journals"),
            state_dir=str(self.folder / "d"),
            bureau_url=self.bureau_facts["url"],
            speed=self.speed,
            **self.devices_options,
        )
        self.devices, self.devices_facts = launch("devices", config)

    def restart_devices(self) -> None:
        end(self.devices)
        self.start_devices()

    def restart_bureau(self) -> None:
        end(self.bureau)
        self.bureau, self.bureau_facts = launch("bureau", self.bureau_config)

    def wire(self, server: int = 0, timeout: float = 8) -> Wire:
        self.wires.append(Wire(self.devices_facts["tax_servers"][server]["port"], timeout))
        return self.wires[-1]

    def close(self) -> None:
        for wire in self.wires:
            wire.close()
        end(self.devices)
        end(self.bureau)

    # --- the control ports

    def faults(self, target: str, *faults: dict[str, Any]) -> None:
        status, answer = ask_http(
            self.devices_facts["control_port"], "PUT", f"/devices/{target}/faults", {"faults": list(faults)}
        )
        assert status == 200, answer

    def bureau_is(self, state: str) -> None:
        assert ask_http(self.bureau_facts["control_port"], "PUT", "/state", {"state": state})[0] == 200

    def bureau_faults(self, *faults: dict[str, Any]) -> None:
        assert ask_http(self.bureau_facts["control_port"], "PUT", "/faults", {"faults": list(faults)})[0] == 200

    def state(self, device_no: str) -> dict[str, Any]:
        servers = ask_http(self.devices_facts["control_port"], "GET", "/state")[1]["tax_servers"]
        return next(d for s in servers for d in s["devices"] if d["device_no"] == device_no)

    def receipts(self, taxpayer_id: str = TAXPAYER) -> list[dict[str, Any]]:
        answer: list[dict[str, Any]] = ask_http(
            self.bureau_facts["port"], "GET", f"/receipts?taxpayer_id={taxpayer_id}"
        )[1]
        return answer

    def journal(self, device_no: str, event: str = "issued") -> list[dict[str, Any]]:
        text = (self.folder / "journals" / f"{device_no}.jsonl").read_text(encoding="utf-8")
        assert text == "" or text.endswith("\n")
        return [line for line in map(json.loads, text.splitlines()) if line["event"] == event]

    # --- bringing things into service

    def server_ready(self, server: int = 0) -> Wire:
        wire = self.wire(server)
        wire.good("TP_FWQFX", LSH=serial())
        wire.good("TP_FWQZZ", LSH=serial())
        return wire

    def device_ready(self, wire: Wire, numbers: int = 100, taxpayer_id: str = TAXPAYER) -> str:
        """A device with one terminal T1 that holds so many numbers of 026."""
        device_no: str = wire.good("TP_XNSBFX", LSH=serial(), NSRSBH=taxpayer_id, NSRMC="测试", SF="1100")["XNSBH"]
        wire.good("TP_QYXX", XNSBH=device_no)
        wire.good("TP_XNSBZZ", LSH=serial(), XNSBH=device_no)
        wire.good("TP_ZDXZ", LSH=serial(), XNSBH=device_no, KPZDDM="T1", KPZDMC="一号")
        if numbers:
            self.stock(wire, device_no, numbers)
        return device_no

    def stock(self, wire: Wire, device_no: str, count: int, kind: str = "026") -> dict[str, Any]:
        wire.good("GP_FPSG", LSH=serial(), XNSBH=device_no, FPLXDM=kind, SLSL=count)
        grant: dict[str, Any] = until(
            lambda: [g for g in wire.good("GP_FPDXCX", XNSBH=device_no, FPLXDM=kind)["LPXX"] if g["LPZT"] == 0]
        )[0]
        wire.good("GP_FPWSGPLR", LSH=serial(), XNSBH=device_no, LPBH=grant["LPBH"])
        wire.good("TP_LPQR", LSH=serial(), XNSBH=device_no, LPBH=grant["LPBH"])
        wire.good(
            "GP_FPFF",
            LSH=serial(),
            XNSBH=device_no,
            FPLXDM=kind,
            FPDM=grant["FPDM"],
            QSHM=grant["QSHM"],
            FPFS=grant["FS"],
            KPZDDM="T1",
        )
        return grant


def invoice(device_no: str, lsh: str, **changes: Any) -> dict[str, Any]:
    """A body of GP_FPKJ over 113.00."""
    body: dict[str, Any] = {
        "LSH": lsh,
        "XNSBH": device_no,
        "KPZDDM": "T1",
        "FPLXDM": "026",
        "KPLX": "0",
        "FPQQLSH": f"R{lsh}",
        "DDH": f"O{lsh}",
        "XFSH": TAXPAYER,
        "XFMC": "测试",
        "GFMC": "Größe 买方 €",
        "FYXM": [
            {"FPHXZ": "0", "SPMC": "豆腐", "SPBM": "1010112040000000000", "JE": "100.00", "SL": "0.13", "SE": "13.00"}
        ],
        "HJJE": "100.00",
        "HJSE": "13.00",
        "JSHJ": "113.00",
        "KPR": "张三",
    }
    return body | changes
