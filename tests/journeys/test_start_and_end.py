"""Start, end, start again: the same demo as before; and nothing of it stays behind, however it ends."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from tests.journeys.asking import simple
from tests.journeys.demo_process import prepared


def test_a_second_start_goes_on_where_the_first_ended(tmp_path: Path) -> None:
    with prepared(tmp_path / "data") as demo:
        demo.start()
        body = simple(demo.taxpayer_id, "first-life")
        first, tokens, login = demo.door().post("/v1/invoices", body, wait=10), demo.facts["tokens"], demo.facts
        demo.end(signal.SIGTERM)
        print(f"first start: {demo.seconds:.1f} s")
        demo.start()
        print(f"second start: {demo.seconds:.1f} s")
        assert demo.facts["tokens"] == tokens
        assert demo.facts["console_login"] == login["console_login"]
        again = demo.door().post("/v1/invoices", body, wait=10)
        assert (again["id"], again["invoice_no"]) == (first["id"], first["invoice_no"])
        fresh = demo.door().ask("POST", "/v1/invoices", simple(demo.taxpayer_id, "second-life"), wait=10)
        assert fresh.status == 200 and fresh.json["state"] == "issued", fresh
        demo.end(signal.SIGKILL)


def test_sigterm_to_make_ends_everything(tmp_path: Path) -> None:
    """``make up`` itself, its packages taken as installed; the empty scenario, which is quicker to set up."""
    with prepared(tmp_path / "data") as demo:
        venv = Path(sys.prefix)
        asked = f"ARGS=--data-dir {demo.folder} --port 0 --scenario none"
        demo.start("make", "--silent", "--assume-old", f"{venv}/.runtime", f"VENV={venv}", asked, "up")
        assert demo.desk().all("/v1/taxpayers") == []
        assert len(demo.processes()) >= 8
        demo.end(signal.SIGTERM)
