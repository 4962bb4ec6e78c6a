#!/usr/bin/env bash
# Compares the binary interface of libeffdet.so and libeffdet_server.so with that of another commit, by libabigail: what is
# removed or changed is a fault unless the library's name has changed with it; what is added is told.
# Usage: scripts/check_abi.sh [COMMIT]   (default: the last tag; builds both, without tests; exit code 1 for a fault)
set -euo pipefail
cd "$(dirname "$0")/.."
commit=${1:-$(git describe --tags --abbrev=0 2> /dev/null || true)}
[ -n "$commit" ] || { echo "check_abi.sh: there is no tag yet; name a commit" >&2; exit 2; }
command -v abidiff > /dev/null || { echo "check_abi.sh: install abigail-tools (Debian)" >&2; exit 2; }
folder=$(mktemp -d)
trap 'git worktree remove --force "$folder/old" 2> /dev/null || true; rm -rf "$folder"' EXIT
git worktree add -q --detach "$folder/old" "$commit"

server_of() { ! grep -q effdet_http "$1/src/server/CMakeLists.txt" 2> /dev/null || echo effdet_http; }  # older commits have none
build() {  # SOURCES BUILD: with debugging information, from which types are read
  cmake -S "$1" -B "$2" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_CXX_FLAGS_RELWITHDEBINFO="-O0 -g" -DCMAKE_UNITY_BUILD=ON \
    -DEFFDET_TESTS=OFF -DEFFDET_TOOLS=OFF -DEFFDET_BENCH=OFF -DEFFDET_INSTRUCTION_SETS=sse2 > "$folder/log"
  cmake --build "$2" --target effdet $(server_of "$1") > "$folder/log" || { tail -n 20 "$folder/log" >&2; exit 1; }
}
build "$folder/old" "$folder/old_build"
build . "$folder/new_build"

# Templates of other libraries that happen to be exported are nobody's interface.
for kind in function variable; do
  printf '[suppress_%s]\n  symbol_name_regexp = ^_Z[A-Z]*NK?(St|5boost)\n' $kind
done > "$folder/others.abignore"

failed=0
for library in libeffdet.so libeffdet_server.so; do
  [ -e "$folder/old_build/lib/$library" ] || { echo "== $library: not in $commit"; continue; }
  echo "== $library: $(readelf -d "$folder/old_build/lib/$library" | sed -n 's/.*SONAME.*\[\(.*\)\]/\1/p')"
  code=0
  abidiff --no-added-syms --suppressions "$folder/others.abignore" --headers-dir1 "$folder/old/include" --headers-dir2 include \
    "$folder/old_build/lib/$library" "$folder/new_build/lib/$library" || code=$?
  # Bit 3 of abidiff's code: a change that breaks programs. Bit 2: one that may.
  if ((code & 12)) && cmp -s <(readelf -d "$folder/old_build/lib/$library" | grep SONAME) <(readelf -d "$folder/new_build/lib/$library" | grep SONAME); then
    echo "$library: the interface has changed, and its name has not" >&2
    failed=1
  fi
done
exit $failed
