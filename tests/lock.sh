#!/bin/sh
# Makes both lock files anew: hashed, for every platform, without any address. uv is put into the venv when it is missing.
# uv does not read pip's settings: where there is only a private index, name it in UV_DEFAULT_INDEX.
set -eu
cd "$(dirname "$0")/.."
venv="${VENV:-.venv}"
[ -x "$venv/bin/python" ] || "${PYTHON:-python3}" -m venv "$venv" 1>&2
[ -x "$venv/bin/uv" ] || "$venv/bin/python" -m pip --disable-pip-version-check --quiet install uv 1>&2

lock() {
    "$venv/bin/uv" pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --no-annotate \
        --python-version 3.11 --upgrade --extra "$1" pyproject.toml -o "$2.new" 1>&2
    mv "$2.new" "$2"
    echo "$2: $(grep -c '==' "$2") packages" 1>&2
}

lock demo requirements.lock
lock dev requirements-dev.lock
