#!/bin/sh
# Makes .venv with a working pip; with the argument `deno`, puts the pinned Deno into it as well. Does nothing where all is
# there. It may be interrupted, run twice at once, and moved: nothing here is called through a path written into a script.
set -eu

project=$(CDPATH='' cd -- "$(dirname -- "$0")/../../.." && pwd -P)
venv=$project/.venv
log=$project/.tensorflow/setup.log

fail() {
  printf '%s\n' "$*" >&2
  exit 2
}

find_python() {
  for python in python3 python; do
    if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 8))' 2>/dev/null; then return; fi
  done
  fail "No Python 3.8 or newer is here to fetch things with: install it (Debian, Ubuntu: apt install python3-venv;" \
    "Fedora: dnf install python3) and try again."
}

# the lock is on this very file, so that nothing is left behind; it goes when this process ends, however it ends
wait_for_others() {
  exec 9<"$project/lib/tensorflow/setup/venv.sh"
  "$python" -c '
import fcntl, sys
try:
    fcntl.flock(9, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    print("Waiting for another set-up in this folder to finish …", file=sys.stderr)
    fcntl.flock(9, fcntl.LOCK_EX)
' 9<&9
}

has_pip() { "$venv/bin/python" -m pip --version >>"$log" 2>&1; }

make_venv() {
  # an unfinished one is thrown away; one the user made is kept
  if [ -e "$venv/.unfinished" ]; then rm -rf "$venv"; fi
  if has_pip; then return; fi
  mkdir -p "$venv"
  : >"$venv/.unfinished"
  if ! "$python" -m venv "$venv" >>"$log" 2>&1; then
    # Debian keeps what venv needs for pip in a package of its own; a pip installed beside Python will do
    "$python" -m venv --without-pip "$venv" >>"$log" 2>&1 &&
      packages=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))') &&
      "$python" -m pip install --upgrade --target "$packages" pip >>"$log" 2>&1 || true
  fi
  has_pip || fail "This Python can make no environment with pip: install it (Debian, Ubuntu: apt install python3-venv;" \
    "Fedora: dnf install python3-pip) and try again; details are in $log."
  rm -f "$venv/.unfinished"
}

fetch_deno() {
  if "$venv/bin/deno" --version >/dev/null 2>&1 &&
    [ "$(cat "$project/requirements/deno.txt")" = "$(cat "$venv/.deno.txt" 2>/dev/null)" ]; then return; fi
  rm -rf "$venv"/.staging-*
  staging=$venv/.staging-$$
  mkdir -p "$staging"
  trap 'rm -rf "$staging"' EXIT
  trap 'exit 130' INT TERM HUP
  echo "Fetching Deno from PyPI into $venv (once) …" >&2
  # pip's progress goes to the terminal, its complaints to the log; a rename at the end leaves no half-written binary
  TMPDIR=$staging "$venv/bin/python" -m pip install --no-deps --only-binary=:all: --no-compile --target "$staging/deno" \
    --platform "manylinux_2_27_$(uname -m)" -r "$project/requirements/deno.txt" >&2 2>>"$log" ||
    fail "Deno could not be fetched from PyPI: the reason is at the end of $log." \
      "Try again, or install Deno 2.9.4 or newer from https://deno.com."
  mv -f "$staging/deno/bin/deno" "$venv/bin/deno"
  cp "$project/requirements/deno.txt" "$venv/.deno.txt"
}

export PIP_USER=0 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PIP_NO_INPUT=1
mkdir -p "$project/.tensorflow"
find_python
wait_for_others
make_venv
if [ "${1-}" = deno ]; then fetch_deno; fi
