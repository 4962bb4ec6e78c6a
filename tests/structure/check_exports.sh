#!/usr/bin/env bash
# Checks that a shared library shows its own interface alone.
# Usage: tests/structure/check_exports.sh LIBRARY PATTERN   (PATTERN: of what it may show, demangled)
set -euo pipefail
others=$(nm -DC --defined-only "$1" | cut -d' ' -f3- | grep -vE "^((typeinfo|typeinfo name|vtable) for )?($2)" || true)
[ -z "$others" ] || { printf '%s shows what is not its own:\n%s\n' "$1" "$(head -5 <<< "$others")" >&2; exit 1; }
shown=$(nm -DC --defined-only "$1" | wc -l)
echo "$shown names"
[ "$shown" -gt 0 ]
