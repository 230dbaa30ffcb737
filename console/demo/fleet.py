"""The demo's fleet, set up through the API as an operator would: 3 tax servers, 12 taxpayers, 40 virtual devices."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx2

from controlplane.domain.taxpayer import organisation_check_digit, unified_check_digit
from controlplane.domain.virtual_device import NEXT_STEP

REGIONS = (("1100", "北京"), ("3100", "上海"), ("4400", "广东"))
SERVERS = tuple(f"SK{region}001" for region, _ in REGIONS)
QUOTA = 60
TAXPAYERS = 12
DEVICES = 40
READY_DEVICES = 4
KINDS = ("026", "028")
READY_NUMBERS = 6000
NUMBERS = 400
TERMINAL = "1"
_NAMES = (
    "云杉就绪科技有限公司", "北辰食品贸易有限公司", "南桥进出口有限公司", "东湖商贸有限公司", "西岭农产品有限公司",
    "中原酒业有限公司", "海棠茶业有限公司", "青禾粮油有限公司", "白鹭水产有限公司", "红枫乳品有限公司",
    "蓝湾糖果有限公司", "金谷调味品有限公司",
)  # fmt: skip


class SetupFailed(Exception):
    """A step of the set-up was refused; the message tells which."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One virtual device of the fleet."""

    taxpayer_id: str
    server_no: str
    name: str
    numbers: int


def taxpayer_id(number: int) -> str:
    """A synthetic 18-digit id with correct check digits under an unassigned area code."""
    body = f"MA0{number:05d}"
    first_17 = "91990000" + body + organisation_check_digit(body)
    return first_17 + unified_check_digit(first_17)


def plan() -> list[Wanted]:
    """All devices; those of the ready-line taxpayer come first."""
    found = []
    for number in range(DEVICES):
        owner = 0 if number < READY_DEVICES else 1 + (number - READY_DEVICES) % (TAXPAYERS - 1)
        numbers = READY_NUMBERS if owner == 0 else NUMBERS
        server = SERVERS[owner % len(SERVERS)]
        found.append(Wanted(taxpayer_id(owner), server, f"{_NAMES[owner][:4]}-{number + 1:02d}", numbers))
    return found


class Fleet:
    """Sets up what is missing; safe to run again at every start."""

    def __init__(self, api: str, token: str) -> None:
        self._client = httpx2.Client(
            base_url=api, headers={"Authorization": f"Bearer {token}"}, timeout=20.0, trust_env=False
        )

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def join_token(self, host_id: str) -> str:
        """A join token for the demo's agent."""
        return str(self._post("/v1/agents/tokens", {"host_id": host_id, "name": "demo-agent"})["token"])

    def servers(self, places: list[dict[str, Any]], agent_id: str) -> None:
        """Register the tax servers, bind them to the agent, and lead them to ``certified``."""
        known = {row["tax_server_no"]: row for row in self._all("/v1/tax-servers")}
        for place in places:
            row = known.get(place["tax_server_no"]) or self._register(place)
            self._bind(agent_id, row["id"])
            for verb in ("synchronise", "calibrate", "commission", "certify"):
                row = self._get(f"/v1/tax-servers/{row['id']}")
                if _is_next(row, verb):
                    self._act("tax-servers", row, verb, {})

    def _register(self, place: dict[str, Any]) -> dict[str, Any]:
        name = dict(REGIONS)[place["region"]] + "税控服务器"
        body = {key: place[key] for key in ("tax_server_no", "region", "host", "port")} | {"name": name}
        return self._post("/v1/tax-servers", body)

    def _bind(self, agent_id: str, server_id: str) -> None:
        row = self._get(f"/v1/agents/{agent_id}")
        if any(target["id"] == server_id for target in row["serves"]):
            return
        move = {"reason": "演示环境", "version": row["version"], "tax_server_id": server_id}
        self._post(f"/v1/agents/{agent_id}/bind", move)

    def taxpayers(self) -> None:
        """Take on the taxpayers that are not there yet."""
        known = {row["taxpayer_id"] for row in self._all("/v1/taxpayers")}
        for number, name in enumerate(_NAMES):
            if taxpayer_id(number) not in known:
                region = REGIONS[number % len(REGIONS)][0]
                body = {"taxpayer_id": taxpayer_id(number), "name": name, "taxpayer_kind": "general", "region": region}
                self._post("/v1/taxpayers", body | {"issuer": "王开"})

    def devices(self, wanted: list[Wanted], at_once: int) -> None:
        """Lead every wanted device to ``ready`` with a terminal and numbers of both kinds."""
        servers = {row["tax_server_no"]: row["id"] for row in self._all("/v1/tax-servers")}
        known = {row["name"]: row for row in self._all("/v1/virtual-devices")}
        with ThreadPoolExecutor(at_once) as pool:
            for done in [pool.submit(self._device, one, servers[one.server_no], known.get(one.name)) for one in wanted]:
                done.result()

    def _device(self, wanted: Wanted, server_id: str, row: dict[str, Any] | None) -> None:
        if row is None:
            body = {"taxpayer_id": wanted.taxpayer_id, "tax_server_id": server_id, "name": wanted.name}
            row = self._post("/v1/virtual-devices", body)
        while row["state"] in NEXT_STEP:
            row = self._act("virtual-devices", row, NEXT_STEP[row["state"]], {})
        if row["state"] != "ready":
            return
        if not self._items("/v1/terminals", {"device_id": row["id"]}):
            row = self._act(
                "virtual-devices", row, "add_terminal", {"terminal_code": TERMINAL, "terminal_name": "总机"}
            )
        for kind in KINDS:
            self.stock(row["id"], kind, wanted.numbers, wanted.numbers * 9 // 10)

    def stock(self, device_id: str, kind: str, numbers: int, enough: int) -> None:
        """Apply for ``numbers`` more of a kind, receive and distribute them, unless ``enough`` are there."""
        row = self._get(f"/v1/virtual-devices/{device_id}")
        if row["stock"].get(kind, 0) >= enough:
            return
        held = self._undistributed(device_id, kind)
        if not held:
            if not self._undecided(device_id, kind):
                row = self._act("virtual-devices", row, "apply", {"kind": kind, "count": numbers})
            row = self._act("virtual-devices", row, "receive", {"kind": kind})
            held = self._undistributed(device_id, kind)
        for segment in held:
            run = {"kind": kind, "invoice_code": segment["invoice_code"], "start_no": segment["start_no"]}
            move = run | {"count": segment["left"], "terminal_code": TERMINAL}
            row = self._act("virtual-devices", row, "distribute", move)

    def top_up(self, wanted: Wanted, numbers: int, low: int) -> None:
        """Stock a device of the plan with ``numbers`` more of each kind that is down to ``low``."""
        for row in self._items("/v1/virtual-devices", {"taxpayer_id": wanted.taxpayer_id}):
            if row["name"] == wanted.name and row["state"] == "ready":
                for kind in KINDS:
                    self.stock(row["id"], kind, numbers, low)

    def _undecided(self, device_id: str, kind: str) -> bool:
        """Whether an application from before a restart is still open: there is no second one."""
        found = self._items("/v1/applications", {"device_id": device_id, "state": "applied"})
        return any(application["kind"] == kind for application in found)

    def _undistributed(self, device_id: str, kind: str) -> list[dict[str, Any]]:
        found = self._items("/v1/segments", {"device_id": device_id, "kind": kind})
        return [segment for segment in found if segment["state"] == "on_device"]

    def line(self, target: str) -> None:
        """Watch the simulated bureau's address."""
        if all(row["target"] != target for row in self._items("/v1/lines", {"service": "simulated"})):
            body = {
                "region": "模拟税局",
                "area_code": "1100",
                "service": "simulated",
                "target": target,
                "enabled": True,
            }
            self._post("/v1/lines", body)

    # --- one call at a time

    def _act(self, noun: str, row: dict[str, Any], verb: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Do a verb and wait until its job is settled; the record afterwards."""
        path = f"/v1/{noun}/{row['id']}"
        for _ in range(20):
            current = self._get(path)
            move = {"reason": "演示环境建立", "version": current["version"], **arguments}
            answer = self._client.post(f"{path}/{verb}", json=move)
            if answer.status_code == 409 and answer.json()["code"] in ("version_differs", "open_job"):
                time.sleep(0.1)
                continue
            if answer.status_code >= 400:
                raise SetupFailed(f"{verb}: {answer.text}")
            self._wait(answer.json()["job"])
            return self._get(path)
        raise SetupFailed(f"{verb}: the record never came to rest")

    def _wait(self, job: dict[str, Any] | None) -> None:
        until = time.monotonic() + 60
        while job is not None and job["state"] not in ("done", "refused"):
            if time.monotonic() > until:
                raise SetupFailed(f"{job['kind']} is still {job['state']}")
            time.sleep(0.03)
            job = self._get(f"/v1/jobs/{job['id']}")
        if job is not None and job["state"] == "refused":
            raise SetupFailed(f"{job['kind']}: {job['code']} {job['message']}")

    def _get(self, path: str) -> dict[str, Any]:
        return _checked(self._client.get(path))

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return _checked(self._client.post(path, json=body))

    def _items(self, path: str, params: dict[str, str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = _checked(self._client.get(path, params={**params, "limit": "1000"}))["items"]
        return found

    def _all(self, path: str) -> list[dict[str, Any]]:
        return self._items(path, {})


def _is_next(row: dict[str, Any], verb: str) -> bool:
    steps = {
        "registered": "synchronise",
        "synchronised": "calibrate",
        "calibrated": "commission",
        "commissioned": "certify",
    }
    return steps.get(row["state"]) == verb


def _checked(answer: httpx2.Response) -> dict[str, Any]:
    if answer.status_code >= 400:
        raise SetupFailed(f"{answer.request.method} {answer.request.url.path}: {answer.text}")
    found: dict[str, Any] = answer.json()
    return found
