#!/bin/sh
# Makes a Python environment with a working pip: venv.sh VENV LOG [COMMAND …]; then runs the command, if one
# is given, while no other call runs. Does nothing where the environment is there. It may be interrupted, run
# twice at once, and the environment moved: nothing in it is called through a path written into a script.
set -eu

self=$0 venv=$1 log=$2
shift 2

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

# the lock is on this very file, so that nothing is left behind; it goes when this process ends, however it
# ends
wait_for_others() {
  exec 9<"$self"
  "$python" -c '
import fcntl, sys
try:
    fcntl.flock(9, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    print("Waiting for another set-up to finish …", file=sys.stderr)
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

export PIP_USER=0 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PIP_NO_INPUT=1
mkdir -p "$(dirname -- "$log")"
find_python
wait_for_others
make_venv
if [ $# -gt 0 ]; then "$@"; fi
