#!/bin/sh
# Makes a Python environment with a working pip: venv.sh VENV LOG [COMMAND …]; then runs the command, if one
# is given, while no other call runs. Does nothing where the environment is there. It may be interrupted, run
# twice at once, and the environment moved: nothing in it is called through a path written into a script.
set -eu

self=$0 venv=$1 log=$2
here=$(dirname -- "$self")
shift 2

fail() {
  printf '%s\n' "$*" >&2
  exit 2
}

# the newest packages need Python 3.10
find_python() {
  for minor in 10 8; do
    for python in python3 python python3.14 python3.13 python3.12 python3.11 python3.10; do
      if "$python" -c "import sys; sys.exit(sys.version_info < (3, $minor))" 2>/dev/null; then return; fi
    done
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
except OSError:
    pass  # some network file systems have no locks
' 9<&9
}

# a pip that has lost files is made unknown, so that it is installed again
has_pip() {
  "$venv/bin/python" -I "$here/check_packages.py" pip >>"$log" 2>&1 &&
    "$venv/bin/python" -I -c 'import pip, sys
sys.exit([int(number) for number in pip.__version__.split(".")[:2]] < [20, 3])' >>"$log" 2>&1
}

install_pip() { # with the pip of this Python
  "$1" "$here/run_pip.py" install --upgrade --no-deps --require-hashes --target "$packages" \
    -r "$here/../requirements/pip.txt" >>"$log" 2>&1
}

# unfinished ones, and those whose Python was upgraded away; Deno, which may be running, stays
clear_venv() {
  for path in "$venv"/* "$venv"/.[!.]* "$venv"/bin/*; do
    case $path in "$venv/bin" | "$venv/bin/deno" | "$venv/.deno.txt") ;; *) rm -rf "$path" ;; esac
  done
}

make_venv() {
  if [ -e "$venv/.unfinished" ] || ! "$venv/bin/python" -c '' 2>/dev/null; then clear_venv; fi
  if has_pip; then return; fi
  mkdir -p "$venv" && : >"$venv/.unfinished" || fail "This user may not write into $venv: change its permissions," \
    "or use a copy of the project in a folder of your own."
  export TMPDIR="$venv" # the system's temporary folder may be full
  # Debian keeps what venv needs for pip in a package of its own; a pip installed beside Python will do
  "$python" -I -m venv "$venv" >>"$log" 2>&1 || "$python" -I -m venv --without-pip "$venv" >>"$log" 2>&1 || true
  if ! has_pip && packages=$("$venv/bin/python" -I -c 'import sysconfig; print(sysconfig.get_path("purelib"))'); then
    install_pip "$venv/bin/python" || install_pip "$python" || true
  fi
  has_pip || fail "This Python can make no environment with pip: install it (Debian, Ubuntu: apt install python3-venv;" \
    "Fedora: dnf install python3-pip) and try again; details are in $log."
  rm -f "$venv/.unfinished"
}

{ mkdir -p "$(dirname -- "$log")" && : >>"$log"; } 2>/dev/null ||
  fail "This user may not write $log: change its permissions, or use a copy of the project in a folder of your own."
find_python
wait_for_others
make_venv
if [ $# -gt 0 ]; then "$@"; fi
