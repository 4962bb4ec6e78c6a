#!/usr/bin/env bash
# Checks that the sources keep to the layers which CMakeLists.txt and docs/architecture.md describe.
# Usage: tests/structure/check_layers.sh [--table] [FOLDER]   (FOLDER: another tree of sources; --table prints the table of
# layers as docs/architecture.md should have it)
set -euo pipefail
script=$(cd "$(dirname "$0")" && pwd)/check_layers.awk
table=
[ "${1:-}" != --table ] || { table=1; shift; }
cd "${1:-$(dirname "$script")/../..}"
export LC_ALL=C
mapfile -t sources < <(find include/effdet src tools/effdet -name '*.h' -o -name '*.cc' | sort)
awk -v table="$table" -f "$script" src/CMakeLists.txt src/*/CMakeLists.txt tools/effdet/CMakeLists.txt docs/architecture.md \
  "${sources[@]}"
