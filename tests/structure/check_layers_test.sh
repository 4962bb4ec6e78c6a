#!/usr/bin/env bash
# Plants mistakes in a copy of the sources, one at a time, and checks that check_layers.sh names each.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
(cd "$here/../.." && find include src tools/effdet docs/architecture.md -name '*.h' -o -name '*.cc' -o -name CMakeLists.txt \
  -o -name architecture.md | xargs cp --parents -t "$copy")
failed=0

# plant FILE TEXT PATTERN: the text at the end of a file must give a line that matches.
plant() {
  local file=$copy/$1
  [ ! -e "$file" ] || cp "$file" "$copy/kept"
  printf '%s\n' "$2" >> "$file"
  expect "$1: $2" "$3"
  rm "$file"
  [ ! -e "$copy/kept" ] || mv "$copy/kept" "$file"
}

# change FILE EXPRESSION PATTERN: so must a change by sed.
change() {
  local file=$copy/$1
  cp "$file" "$copy/kept"
  sed -i -E "$2" "$file"
  ! cmp -s "$file" "$copy/kept" || { echo "FAILED: $2 changes nothing in $1"; failed=1; }
  expect "$1: $2" "$3"
  mv "$copy/kept" "$file"
}

expect() {
  local said
  if said=$("$here/check_layers.sh" "$copy"); then echo "FAILED: nothing said about $1"; failed=1; return; fi
  grep -qE "$2" <<< "$said" || { echo "FAILED: for $1"; echo "  wanted $2"; echo "  got    $said"; failed=1; }
}

plant src/ir/planted.cc '#include "ops/op.h"' '^src/ir/planted.cc:1: includes "ops/op.h", but ops is above ir'
plant src/fetch/planted.cc '#include "vision/image.h"' 'add vision to DEPENDS of src/fetch/CMakeLists.txt and to the row of fetch'
plant src/ir/planted_test.cc '#include "ops/op.h"' '^src/ir/planted_test.cc:1: .*add ops to TEST_DEPENDS of src/ir'
plant src/ir/planted.cc '#include "support/shell.h"' 'only tests do'
plant src/ir/planted.cc '#include "graph.h"' 'give the path from src/'
plant src/ir/planted.cc '#include "effdet/effdet.h"' 'but api is above ir'
plant src/ir/planted.cc '#include <nlohmann/json.hpp>' 'add find_package\(nlohmann_json\)'
plant src/ops/planted.h $'namespace effdet {\nint planted();' '^src/ops/planted.h:2: headers of src/ops declare in effdet::ops'
plant src/ops/planted.h 'namespace effdet::ir {' 'headers of src/ops declare in effdet::ops'
plant src/kernels/cpu/isa/planted.h '#include <vector>' 'includes <vector>: code of src/kernels/cpu/isa'
plant src/kernels/cpu/isa/planted.h '#include "base/tensor.h"' '^src/base/.* code of src/kernels/cpu/isa'
plant tools/effdet/planted.cc '#include "base/error.h"' 'tools/effdet includes nothing of src/'
plant include/effdet/planted.h '#include <fmt/format.h>' 'public headers include the standard library alone'
plant include/effdet/planted.h '' 'name it in PUBLIC_HEADERS'
change src/ir/CMakeLists.txt 's/DEPENDS base/DEPENDS base eval/' 'DEPENDS lists eval, of which no source of src/ir includes a header: take it out'
change src/ir/CMakeLists.txt 's/DEPENDS base/TEST_DEPENDS ops\n  DEPENDS base/' 'TEST_DEPENDS lists ops, .* take it out'
change src/ops/CMakeLists.txt 's/DEPENDS ir base/DEPENDS base/' 'add ir to DEPENDS of src/ops'
change src/onnx/CMakeLists.txt 's/find_package\(Protobuf REQUIRED\)//' 'add find_package\(Protobuf\)'
change src/ir/CMakeLists.txt '1s/^/find_package(ZLIB)\n/' 'finds ZLIB, of which nothing there includes a header: take it out'
change docs/architecture.md 's/^(\| ops \|) ir, base/\1 base/' 'the row should be: \| ops \| ir, base \|'
change docs/architecture.md '/^\| ops \|/d' 'lacks the row: \| ops'
change docs/architecture.md 's/^\| ops \|.*/| shapes | base | | |\n&/' 'there is no layer shapes'
change docs/architecture.md 's/^(\| vision \|.*)zlib/\1/' 'the row should be: \| vision'
exit $failed
