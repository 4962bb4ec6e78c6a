#!/usr/bin/env bash
# Compiles each layer as one file, syntax only: unity builds group the files of a layer in an order that changes with
# their number, so names in anonymous namespaces must differ within a layer.
# Usage: scripts/check_unity.sh   (prints each clash; exit code 1 when there is one; some minutes)
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cmake --preset release -B "$folder" -DCMAKE_UNITY_BUILD_BATCH_SIZE=0 -DEFFDET_INSTRUCTION_SETS='sse2;avx2' \
  -DCMAKE_CXX_FLAGS_RELEASE='-O0 -fsyntax-only' > "$folder/configure.log"
# Each command is called by itself: nothing is compiled in fact, so nothing that depends on it could be built.
for generated in src/artifact/generated/artifact/om_generated.h \
    $(ninja -C "$folder" -t targets all | sed -n 's/\(_program_[0-9]*\.cc\|inference\.pb\.h\): CUSTOM_COMMAND$/\1/p'); do
  sh -c "$(ninja -C "$folder" -t commands -s "$generated")"
done
mapfile -t objects < <(ninja -C "$folder" -t targets all | sed -n 's/: CXX_COMPILER.*//p')
for object in "${objects[@]}"; do
  ninja -C "$folder" -t commands -s "$object" | sed 's/-MD -MT [^ ]* -MF [^ ]*//'
done > "$folder/commands"
cd "$folder"
xargs -d '\n' -P "$(nproc)" -I {} sh -c '{}' < commands > build.log 2>&1 || true
if grep 'error:' build.log | sort -u; then exit 1; fi
echo "no clashes in ${#objects[@]} files"
