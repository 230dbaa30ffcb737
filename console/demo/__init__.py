"""``taxplane demo``: the whole product on one machine with simulated devices; it alone imports every room."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from console.demo.places import DirectoryInUse, Places, PortBusy

if TYPE_CHECKING:
    from console.demo.house import House

IN_USE = 3
PORT_BUSY = 4
FAILED = 1


def main(argv: list[str]) -> int:
    """Run the demo until it is told to stop; its exit code (3: directory in use, 4: port busy)."""
    options = _parser().parse_args(argv)
    from console.demo.house import House

    try:
        places = Places(options.data_dir)
        house = House(places, options)
    except DirectoryInUse as held:
        print(f"taxplane demo: {options.data_dir} 正在使用 / in use: {held}", file=sys.stderr)
        return IN_USE
    except PortBusy as busy:
        print(f"taxplane demo: 端口被占用 / port busy: {busy}", file=sys.stderr)
        return PORT_BUSY
    ended = threading.Event()

    def end(_number: int, _frame: object) -> None:
        house.halt()
        ended.set()

    for number in (signal.SIGTERM, signal.SIGINT, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])):
        signal.signal(number, end)
    headless = options.headless or not (sys.stdin.isatty() and sys.stdout.isatty())
    try:
        return _run(house, ended, headless)
    finally:
        house.close()


def _run(house: House, ended: threading.Event, headless: bool) -> int:
    from console.demo.fleet import SetupFailed
    from console.demo.processes import ChildFailed

    try:
        facts = house.open(ended)
    except (SetupFailed, ChildFailed) as fault:
        print(f"taxplane demo: {fault}", file=sys.stderr)
        return FAILED
    if ended.is_set():
        return 0
    if headless:
        print(json.dumps({"ready": True, "version": version("taxplane"), **facts}, ensure_ascii=False), flush=True)
        ended.wait()
        return 0
    from console.app import run
    from console.settings import Settings

    return run(Settings(facts["api"], facts["tokens"]["operator"]))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="taxplane demo", description="The whole product with simulated devices.")
    parser.add_argument("--data-dir", type=Path, default=Path(".taxplane"), help="where everything is kept")
    parser.add_argument("--port", type=int, default=None, help="port of the API (default 8620 or the next free one)")
    parser.add_argument("--speed", type=float, default=1.0, help="divides the durations of simulated practice")
    parser.add_argument("--scenario", choices=("default", "none"), default="default", help="none: start empty")
    parser.add_argument("--database-url", help="keep the ledger in this PostgreSQL database (postgresql+psycopg://…)")
    parser.add_argument("--headless", action="store_true", help="no console, one JSON line")
    return parser
