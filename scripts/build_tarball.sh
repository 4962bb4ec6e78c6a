#!/usr/bin/env bash
# Makes build/effdet-VERSION-Linux.tar.gz: commands, library and headers in a folder that can lie anywhere, with the
# libraries that not every Debian 12 has. Needs glibc 2.36 and libstdc++ 12 or later there; patchelf here.
# Usage: scripts/build_tarball.sh [FOLDER]   (where it goes; default: build)
set -euo pipefail
cd "$(dirname "$0")/.."
out=$(mkdir -p "${1:-build}" && cd "${1:-build}" && pwd)

command -v patchelf > /dev/null || { echo "build_tarball.sh: patchelf is missing: apt-get install patchelf" >&2; exit 1; }
[ -f build/release/build.ninja ] || cmake --preset release
cmake --build --preset release
version=$(sed -n 's/^set(CPACK_PACKAGE_VERSION "\(.*\)")$/\1/p' build/release/CPackConfig.cmake)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/effdet-$version-Linux
cmake --install build/release --prefix "$tree" --strip > /dev/null
lib=$tree/$(sed -n 's/^CMAKE_INSTALL_LIBDIR:PATH=//p' build/release/CMakeCache.txt)

# What the library needs, but for what every system with this glibc has; they find one another beside them.
ldd "$lib/libeffdet.so" | awk '$3 ~ /^\// { print $3 }' |
  grep -vE '/(libc|libm|libdl|librt|libpthread|libstdc\+\+|libgcc_s)\.so' |
  while read -r library; do cp -L "$library" "$lib/"; done
for library in "$lib"/*.so.*; do [ -L "$library" ] || patchelf --set-rpath '$ORIGIN' "$library"; done
licences=$tree/share/doc/effdet/licences
mkdir -p "$licences"
for library in "$lib"/*.so.*; do
  package=$(dpkg -S "$(basename "$library")" 2> /dev/null | head -1 | cut -d: -f1) || continue
  [ ! -f "/usr/share/doc/$package/copyright" ] || cp -L "/usr/share/doc/$package/copyright" "$licences/$package"
done
tar -C "$work" -czf "$out/effdet-$version-Linux.tar.gz" "effdet-$version-Linux"
ls -l "$out/effdet-$version-Linux.tar.gz"
