"""``taxplane-probe`` as a person runs it: in a process of its own."""

import json
import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from probes.__main__ import main


class Hello(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


@contextmanager
def web():
    with ThreadingHTTPServer(("127.0.0.1", 0), Hello) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


def test_phases_are_drawn_in_chinese_or_english(capsys):
    with web() as url:
        assert main([url, "--allow", "127.0.0.0/8"]) == 0
        chinese = capsys.readouterr().out
        assert main(["--allow", "127.0.0.0/8", "--lang", "en", url]) == 0
        english = capsys.readouterr().out
    assert "正常" in chinese and "建立连接" in chinese and "首字节" in chinese and "█" in chinese and "ms" in chinese
    assert " ok " in english and "first byte" in english
    assert english.isascii() or not any("\u4e00" <= letter <= "\u9fff" for letter in english)


def test_loopback_needs_a_word(capsys):
    with web() as url:
        assert main([url]) == 1
    assert "允许列表" in capsys.readouterr().out


def test_json_is_one_line_per_target(capsys):
    with web() as url:
        assert main([url, url + "b", "--allow=127.0.0.0/8", "--json"]) == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {record["target"] for record in records} == {url, url + "b"}
    assert all(record["ok"] and record["facts"]["status"] == 200 for record in records)
    assert all(set(record["phases"]) == {"dns", "tcp", "ttfb"} for record in records)


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["ftp://bureau.example"],
        ["tcp://127.0.0.1:1", "--timeout", "11"],
        ["tcp://127.0.0.1:1", "--timeout", "nan"],
        ["tcp://127.0.0.1:1", "--allow", "everything"],
        ["tcp://127.0.0.1:1", "--lang", "fr"],
    ],
)
def test_wrong_usage_is_exit_code_two(words, capsys):
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2
    assert capsys.readouterr().err


def test_a_check_loads_only_what_it_needs():
    program = (
        "import sys, probes.__main__ as command\n"
        "code = command.main(['http://127.0.0.1:9/', '--allow', '127.0.0.0/8'])\n"
        "heavy = {'paramiko', 'pysnmp', 'psutil', 'cryptography', 'fastapi', 'sqlmodel', 'textual', 'pydantic'}\n"
        "print(code, sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=os.environ, check=True)
    assert done.stdout.splitlines()[-1] == "1 []"
