#!/usr/bin/env bash
# Builds the Python wheel: py3-none-manylinux, with the libraries inside that Debian 12 does not have everywhere.
# Usage: scripts/build_wheel.sh [FOLDER]   (where it goes; default: build/wheels)
# Build tools come from PyPI into a temporary folder; patchelf is a Debian package.
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-build/wheels}

scripts/install_packages.sh
command -v patchelf > /dev/null || { echo "build_wheel.sh: patchelf is missing: apt-get install patchelf" >&2; exit 1; }
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
python3 -m venv "$tools/venv"
"$tools/venv/bin/pip" install -q auditwheel==6.5.0 scikit-build-core==0.11.6
mkdir -p "$out"
"$tools/venv/bin/pip" wheel -q --no-deps --no-build-isolation -w "$tools/plain" .
# The oldest glibc that Debian 12's compiler builds for is its own.
"$tools/venv/bin/auditwheel" repair --plat manylinux_2_36_x86_64 -w "$out" "$tools"/plain/*.whl
ls -l "$out"
