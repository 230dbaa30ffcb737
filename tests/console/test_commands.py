"""``taxplane get | do | acts``: what they print, what they send, and the exit codes a script acts on."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from console.commands import print as printed
from console.commands.run import JOB_NOT_DONE, NO_LINE, REFUSED, SIGNED_OUT, WRONG_WORDS, command
from console.settings import Settings
from controlplane.domain.registry import ACTS
from tests.console.plane import TOKEN, Plane, problem

DEVICE = {"id": "d1", "version": 3, "device_no": "499900000001", "name": "柜台", "state": "ready",
          "allowed": [{"verb": "read", "enabled": True, "why": ""}, {"verb": "cancel", "enabled": False, "why": "x"}]}  # fmt: skip


@pytest.fixture
def plane() -> Iterator[Plane]:
    plane = Plane()
    plane.fill("virtual-devices", [DEVICE, {**DEVICE, "id": "d2", "name": "\x1b[2J坏名字"}])
    plane.start()
    yield plane
    plane.stop()


def run(plane: Plane, *words: str, token: str = TOKEN, url: str = "") -> tuple[int, list[str]]:
    said: list[str] = []
    code = command(Settings(url or plane.url, token), list(words), said.append)
    return code, said


def test_a_list_lines_up_and_cannot_move_the_terminal(plane: Plane) -> None:
    code, said = run(plane, "get", "virtual-devices")
    assert code == 0 and len(said) == 3 and "\x1b" not in "".join(said)
    at = said[0].index("state")
    assert all(printed.width(line[: line.rindex("ready")]) == at for line in said[1:])


def test_a_list_as_json_is_one_object_per_line(plane: Plane) -> None:
    code, said = run(plane, "get", "virtual-devices", "--json", "--limit", "1")
    assert (code, [json.loads(line)["id"] for line in said]) == (0, ["d1"])


def test_a_record_shows_what_is_allowed_now(plane: Plane) -> None:
    code, said = run(plane, "get", "virtual-devices", "d1")
    assert code == 0 and "allowed    read" in said


def test_an_act_reads_the_version_and_sends_its_fields(plane: Plane) -> None:
    code, said = run(
        plane, "do", "virtual-devices", "apply", "d1", "kind=026", "count=50", "--reason", "月底", "--json"
    )
    assert code == 0 and json.loads(said[0])["job"]["kind"] == "device.apply"
    assert plane.acts == [
        ("/v1/virtual-devices/d1/apply", {"kind": "026", "count": 50, "reason": "月底", "version": 3})
    ]


def test_something_new_is_registered(plane: Plane) -> None:
    words = ["tax_server_no=SK1", "name=一号", "region=4400", "host=10.0.0.1", "port=8443"]
    code, said = run(plane, "do", "tax-servers", "register", *words, "--json")
    assert code == 0 and json.loads(said[0])["port"] == 8443
    assert plane.acts[0][0] == "/v1/tax-servers"


@pytest.mark.parametrize(
    "words",
    [
        ["do", "virtual-devices", "levitate", "d1", "--reason", "x"],
        ["do", "virtual-devices", "apply", "d1", "kind=026", "--reason", "x"],
        ["do", "virtual-devices", "apply", "d1", "kind=26", "count=5", "--reason", "x"],
        ["do", "virtual-devices", "apply", "d1", "kind=026", "count=5", "more=1", "--reason", "x"],
        ["do", "virtual-devices", "apply", "d1", "kind=026", "count=5"],
        ["do", "virtual-devices", "apply", "kind=026", "count=5", "--reason", "x"],
        ["do", "virtual-devices", "suspend", "d1", "--reason", "x"],
        ["acts", "moons"],
    ],
)  # fmt: skip
def test_wrong_words_send_nothing(plane: Plane, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(plane, *words) == (WRONG_WORDS, [])
    assert plane.acts == [] and capsys.readouterr().err


def test_a_dangerous_act_wants_a_yes(plane: Plane) -> None:
    assert run(plane, "do", "virtual-devices", "suspend", "d1", "--reason", "x", "--yes")[0] == 0


def test_a_refusal_is_told_with_its_remedy(plane: Plane, capsys: pytest.CaptureFixture[str]) -> None:
    plane.answer = lambda verb, body: problem(409, "open_job", "有作业在执行")
    assert run(plane, "do", "virtual-devices", "read", "d1", "--reason", "x") == (REFUSED, [])
    assert "open_job: 有作业在执行" in capsys.readouterr().err


def test_a_job_is_followed_for_as_long_as_asked(plane: Plane) -> None:
    asked = ["do", "virtual-devices", "read", "d1", "--reason", "x", "--wait", "0.4", "--json"]
    code, said = run(plane, *asked)
    assert code == JOB_NOT_DONE and json.loads(said[0])["job"]["state"] == "queued"


def test_no_sign_in_and_no_line_have_codes_of_their_own(plane: Plane) -> None:
    assert run(plane, "get", "virtual-devices", token="x" * 20)[0] == SIGNED_OUT
    assert run(plane, "get", "virtual-devices", url="http://127.0.0.1:9")[0] == NO_LINE


def test_all_acts_of_the_registry_are_listed(plane: Plane) -> None:
    code, said = run(plane, "acts", "--json")
    assert code == 0 and {(one["noun"], one["verb"]) for one in map(json.loads, said)} == set(ACTS)
