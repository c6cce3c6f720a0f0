#!/bin/sh
# Writes each NAME.txt from its NAME.in: all packages that it needs, pinned, with the SHA-256 of their files. pip
# installs no other. Needs uv (pip install uv). bench.txt has none: PyTorch's builds for the CPU are on an index
# of its own, with other files under the same version.
set -eu
cd "$(dirname "$0")/.."

lock() {
  uv pip compile --quiet --universal --generate-hashes --only-binary :all: --no-annotate --upgrade \
    --custom-compile-command 'sh requirements/lock.sh' "$@"
}

for set in lab report; do
  lock --python-version 3.10 "requirements/$set.in" -o "requirements/$set.txt"
done
# these are files only, for CPython 3.12 whatever Python is here
for set in requirements/deno lib/tensorflow/requirements/compiler lib/tensorflow/requirements/pip \
  lib/tensorflow/requirements/tensorflow-cpu lib/tensorflow/requirements/tensorflow-gpu; do
  lock --python-version 3.12 --no-deps "$set.in" -o "$set.txt"
done
