"""A small tax server that speaks the GP dialect, keeps a journal and a trace, and misbehaves on request."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any


@dataclass
class Misdeed:
    """What to do with one call instead of answering properly.

    ``kind``: lose (execute, close without a word), drop (close unexecuted), half, late (execute, answer after ``value``
    seconds), trickle, html, damaged, foreign (answer for another serial), say (refuse with code ``value``, unexecuted),
    taken (1000, executed), forget (answer well, keep nothing), alter (journal differs from the answer), charset.
    """

    kind: str
    value: Any = None


@dataclass
class Device:
    """One virtual device: numbers, journal by serial, uploads."""

    code: str = "032002600104"
    next: int = 1
    end: int = 5000
    journal: list[dict[str, Any]] = field(default_factory=list)
    uploaded: int = 0
    clock_offset: float = 0.0
    grants: list[dict[str, Any]] = field(default_factory=list)
    voided: list[str] = field(default_factory=list)
    """Numbers voided, as often as it was done."""

    def by_serial(self, serial: str) -> dict[str, Any] | None:
        return next((row for row in self.journal if row["LSH"] == serial), None)


class TaxServer:
    """Listens until ``close``; ``down``/``up`` really close and reopen the port."""

    def __init__(self) -> None:
        self.devices: dict[str, Device] = {}
        self.trace: list[tuple[str, str, str]] = []
        """(interface code, device, serial) of each whole request, in the order of arrival."""
        self.before: Callable[[str, dict[str, Any]], None] = lambda code, body: None
        """Called with each request before anything is done."""
        self.misdeeds: dict[str, deque[Misdeed]] = {}
        self.replies: dict[str, dict[str, Any]] = {}
        """Replies of changing calls by serial."""
        self.latency = 0.0
        self._lock = threading.Lock()
        self._stop = False
        self.port = 0
        self._listener: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self.up()

    # --- control ---------------------------------------------------------------

    def up(self) -> None:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(128)
        self.port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def down(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def close(self) -> None:
        self._stop = True
        self.down()

    def misbehave(self, code: str, *kinds: str | Misdeed) -> None:
        """The next calls of this code end like this, one after the other."""
        given = (kind if isinstance(kind, Misdeed) else Misdeed(kind) for kind in kinds)
        self.misdeeds.setdefault(code, deque()).extend(given)

    def device(self, number: str) -> Device:
        return self.devices.setdefault(number, Device())

    def calls(self, code: str, serial: str | None = None) -> int:
        return sum(row[0] == code and serial in (None, row[2]) for row in list(self.trace))

    # --- HTTP --------------------------------------------------------------------

    def _accept(self, listener: socket.socket) -> None:
        while not self._stop:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        buffer = b""
        try:
            while True:
                while b"\r\n\r\n" not in buffer:
                    if not (more := connection.recv(65536)):
                        return
                    buffer += more
                head, _, buffer = buffer.partition(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                while len(buffer) < length:
                    if not (more := connection.recv(65536)):
                        return
                    buffer += more
                request, buffer = buffer[:length], buffer[length:]
                if not self._answer(connection, request):
                    return
        except OSError:
            return
        finally:
            self._open.discard(connection)
            connection.close()

    def _answer(self, connection: socket.socket, request: bytes) -> bool:
        """Act on one request; False closes the connection."""
        envelope = json.loads(request)
        code = envelope["globalInfo"]["interfaceCode"]
        content = envelope["data"]["content"]
        assert hashlib.sha256(content.encode()).hexdigest() == envelope["data"]["contentKey"]
        body = json.loads(base64.b64decode(content))
        self.before(code, body)
        self.trace.append((code, body.get("XNSBH", ""), body.get("LSH", "")))
        queue = self.misdeeds.get(code)
        misdeed = queue.popleft() if queue else Misdeed("")
        if misdeed.kind == "drop":
            return False
        if misdeed.kind == "say":
            return self._send(connection, code, {"CODE": misdeed.value, "MSG": "原文"})
        reply = self._execute(code, body, misdeed)
        return self._spoiled(connection, code, reply, misdeed)

    def _spoiled(self, connection: socket.socket, code: str, reply: dict[str, Any], misdeed: Misdeed) -> bool:
        """Answer what was executed, properly or as the misdeed has it."""
        match misdeed.kind:
            case "lose":
                return False
            case "late":
                time.sleep(misdeed.value)
            case "half":
                connection.sendall(_framed(_enveloped(code, reply))[:150])
                return False
            case "trickle":
                for byte in _framed(_enveloped(code, reply)):
                    connection.sendall(bytes([byte]))
                    time.sleep(misdeed.value)
                return False
            case "html":
                connection.sendall(_framed(b"<html>\x1b[31mlogin</html>"))
                return True
            case "damaged":
                connection.sendall(_framed(_enveloped(code, reply).replace(b'"contentKey": "', b'"contentKey": "0')))
                return True
            case "charset":
                text = json.dumps({**reply, "MSG": "成功"}, ensure_ascii=False)
                connection.sendall(_framed(_wrapped(code, text.encode("gb18030"))))
                return True
            case "foreign":
                reply = {**reply, "LSH": "of-somebody-else"}
        return self._send(connection, code, reply)

    def _send(self, connection: socket.socket, code: str, reply: dict[str, Any]) -> bool:
        connection.sendall(_framed(_enveloped(code, reply)))
        return True

    # --- what the device does ------------------------------------------------------

    def _execute(self, code: str, body: dict[str, Any], misdeed: Misdeed) -> dict[str, Any]:
        with self._lock:
            serial = body.get("LSH", "")
            if code == "GP_YBJGCX":
                return self.replies.get(serial) or {"CODE": "9001", "MSG": "不存在"}
            if code == "GP_FPCX":
                row = self.device(body["XNSBH"]).by_serial(serial)
                return {"CODE": "0000", "MSG": "", **row} if row else {"CODE": "9001", "MSG": "不存在"}
            if serial and serial in self.replies:
                return self.replies[serial]
            reply: dict[str, Any] = getattr(self, f"_{code.lower()}")(body, misdeed)
            if serial and reply["CODE"] == "0000":
                self.replies[serial] = reply
            if misdeed.kind == "taken":
                return {"CODE": "1000", "MSG": ""}
            return reply

    def _gp_fpkj(self, body: dict[str, Any], misdeed: Misdeed) -> dict[str, Any]:
        device = self.device(body["XNSBH"])
        if device.next > device.end:
            return {"CODE": "1002", "MSG": "票量为零"}
        number = f"{device.next:08d}"
        if body["DQFPHM"] and (body["DQFPDM"], body["DQFPHM"]) != (device.code, number):
            return {"CODE": "1003", "MSG": number}
        if self.latency:
            time.sleep(self.latency)
        kept = {name: body[name] for name in body if name not in ("LSH", "DQFPDM", "DQFPHM")}
        canonical = json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        row = {
            "XH": len(device.journal) + 1,
            "LSH": body["LSH"],
            "FPQQLSH": body["FPQQLSH"],
            "DDH": body["DDH"],
            "FPLXDM": body["FPLXDM"],
            "KPZDDM": body["KPZDDM"],
            "FPDM": device.code,
            "FPHM": number,
            "KPRQ": _device_time(device),
            "JYM": "1" * 20,
            "SKM": "cipher",
            "QMZ": "signature",
            "HJJE": body["HJJE"],
            "HJSE": body["HJSE"],
            "JSHJ": body["JSHJ"],
            "BWZY": hashlib.sha256(canonical.encode()).hexdigest(),
        }
        device.next += 1
        if misdeed.kind != "forget":
            device.journal.append({**row, "FPHM": "99999999"} if misdeed.kind == "alter" else row)
        return {"CODE": "0000", "MSG": "", **row}

    def _gp_fpzf(self, body: dict[str, Any], misdeed: Misdeed) -> dict[str, Any]:
        device = self.device(body["XNSBH"])
        row = next(row for row in device.journal if row["FPHM"] == body["FPHM"])
        if body["FPHM"] in device.voided:
            return {"CODE": "09d11e", "MSG": "发票已作废"}
        device.voided.append(body["FPHM"])
        when = _device_time(device)
        return {"CODE": "0000", "MSG": "", "XH": row["XH"], "FPDM": row["FPDM"], "FPHM": row["FPHM"], "ZFSJ": when}

    def _gp_dqfpcx(self, body: dict[str, Any], _: Misdeed) -> dict[str, Any]:
        device = self.device(body["XNSBH"])
        left = device.end - device.next + 1
        return {"CODE": "0000", "MSG": "", "FPDM": device.code, "FPHM": f"{device.next:08d}", "SYFS": left}

    def _gp_jkxx(self, body: dict[str, Any], _: Misdeed) -> dict[str, Any]:
        device = self.device(body["XNSBH"])
        kind = {
            "FPLXDM": "026", "KPJZSJ": "20991231", "BSQSRQ": "20260101", "BSZZRQ": "20260131", "ZXBSRQ": "20260101",
            "DZKPXE": "100000.00", "SCJZRQ": "15", "LXKPSC": "120", "LXKPZS": "200", "LXZSLJJE": "1000000.00",
        }  # fmt: skip
        return {
            "CODE": "0000", "MSG": "", "SBSJ": _device_time(device), "JKSJ": [kind], "LXQSSJ": "", "LXZS": 0,
            "LXJE": "0.00", "JDZT": 0, "JDMS": "", "ZDXH": len(device.journal),
        }  # fmt: skip

    def _gp_lgxxcx(self, body: dict[str, Any], _: Misdeed) -> dict[str, Any]:
        device = self.device(body["XNSBH"])
        segment = {
            "LPBH": "L1", "FPLXDM": "026", "FPDM": device.code, "QSHM": "00000001", "ZZHM": f"{device.end:08d}",
            "DQHM": f"{device.next:08d}", "SYFS": device.end - device.next + 1, "KPZDDM": "0001", "LGRQ": "20260101",
        }  # fmt: skip
        return {"CODE": "0000", "MSG": "", "LGXX": [segment]}

    def _gp_scjgcx(self, body: dict[str, Any], _: Misdeed) -> dict[str, Any]:
        device = self.device(body["XNSBH"])
        rows = device.journal[body["QSXH"] - 1 : body["QSXH"] - 1 + body["ZS"]]
        return {"CODE": "0000", "MSG": "", "SCJG": [_upload(row, device) for row in rows]}

    def _gp_fpdxcx(self, body: dict[str, Any], _: Misdeed) -> dict[str, Any]:
        return {"CODE": "0000", "MSG": "", "LPXX": self.device(body["XNSBH"]).grants}

    def _gp_fpwsgplr(self, body: dict[str, Any], _: Misdeed) -> dict[str, Any]:
        return self._advance(body, 1)

    def _tp_lpqr(self, body: dict[str, Any], _: Misdeed) -> dict[str, Any]:
        return self._advance(body, 2)

    def _advance(self, body: dict[str, Any], to: int) -> dict[str, Any]:
        grant = next(g for g in self.device(body["XNSBH"]).grants if g["LPBH"] == body["LPBH"])
        if grant["LPZT"] != to - 1:
            return {"CODE": "200001", "MSG": "先决步骤未完成"}
        grant["LPZT"] = to
        return {"CODE": "0000", "MSG": "", "LPZT": to}

    def _gp_fpsg(self, body: dict[str, Any], _: Misdeed) -> dict[str, Any]:
        grant = {"LPBH": f"L{len(self.device(body['XNSBH']).grants) + 1}", "LPZT": 0}
        self.device(body["XNSBH"]).grants.append(grant)
        return {"CODE": "0000", "MSG": "", "SLXH": "S1"}

    def _tp_szjz(self, body: dict[str, Any], _: Misdeed) -> dict[str, Any]:
        return {"CODE": "99800011", "MSG": "时间差小于30分钟，不用校准"}

    def _tp_fwqxx(self, body: dict[str, Any], _: Misdeed) -> dict[str, Any]:
        return {
            "CODE": "0000", "MSG": "", "SWUKBH": "499000000001", "XNSBZS": 100, "SYKFXSL": 60,
            "FWQSJ": _device_time(Device()), "LJNH": "V2", "FXZT": 1, "ZZZT": 1, "JZYXQZ": "20311231",
            "ZGSWJGDM": "13200000000", "ZGSWJGMC": "税务局", "JDSJ": "",
        }  # fmt: skip

    def _tp_fwqfx(self, body: dict[str, Any], _: Misdeed) -> dict[str, Any]:
        return {"CODE": "0000", "MSG": "", "FXSJ": "20260101000000"}

    def _tp_xnsbfx(self, body: dict[str, Any], _: Misdeed) -> dict[str, Any]:
        return {"CODE": "0000", "MSG": "", "XNSBH": f"5{len(self.devices):011d}", "SYKFXSL": 59}


def _upload(row: dict[str, Any], device: Device) -> dict[str, Any]:
    done = row["XH"] <= device.uploaded
    return {
        "XH": row["XH"], "LSH": row["LSH"], "FPDM": row["FPDM"], "FPHM": row["FPHM"], "SCZT": 1 if done else 0,
        "SLXLH": "R" * 32 if done else "", "SCSJ": "20260102030405" if done else "", "SCMS": "",
    }  # fmt: skip


def _device_time(device: Device) -> str:
    return (datetime.now(UTC) + timedelta(hours=8, seconds=device.clock_offset)).strftime("%Y%m%d%H%M%S")


def _enveloped(code: str, reply: dict[str, Any]) -> bytes:
    return _wrapped(code, json.dumps(reply, ensure_ascii=False).encode())


def _wrapped(code: str, body: bytes) -> bytes:
    content = base64.b64encode(body).decode()
    return json.dumps(
        {
            "globalInfo": {"interfaceCode": code},
            "returnStateInfo": {"returnCode": "0000", "returnMessage": ""},
            "data": {"content": content, "contentKey": hashlib.sha256(content.encode()).hexdigest()},
        }
    ).encode()


def _framed(answer: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(answer), answer)
