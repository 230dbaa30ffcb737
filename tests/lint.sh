#!/bin/sh
# What can be checked without running anything: style, types, and who imports whom. All three run; any finding fails.
set -u
cd "$(dirname "$0")/.." || exit 2
bin="${VENV:-.venv}/bin"
failed=0
"$bin/python" -m ruff check --quiet . || failed=1
"$bin/python" -m mypy --no-error-summary || failed=1
contracts=$("$bin/lint-imports" --no-cache 2>&1) || { failed=1; printf '%s\n' "$contracts"; }
[ "$failed" = 0 ] && echo "lint: style, types and import contracts are in order" 1>&2
exit "$failed"
