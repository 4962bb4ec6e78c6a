#!/usr/bin/env bash
# Looks at the sources without building them: how they begin, their formatting, findings, and with --tidy what clang-tidy says.
# Usage: scripts/lint.sh [--fix] [--tidy [BASE | all]]
#   --fix         formats in place instead of complaining
#   --tidy BASE   clang-tidy on the sources that differ from a commit, by default from where the branch left origin/main;
#                 half a minute a file, so that ./test.sh leaves it out
# Exit code 1 when there is something to mend. What is not installed is left out.
set -euo pipefail
cd "$(dirname "$0")/.."

fix= tidy= base=
for argument in "$@"; do
  case $argument in
    --fix) fix=1 ;;
    --tidy) tidy=1 ;;
    -*) sed -n '3,7s/^# //p' "$0" >&2; exit 2 ;;
    *) base=$argument ;;
  esac
done
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mapfile -t sources < <(find bench examples fuzz include src tests tools -name '*.h' -o -name '*.cc' -o -name '*.c' | sort)
failed=0

# A file begins with a line that says what it is; what is shorter than this says nothing.
awk 'FNR == 1 && !/^(\/\/|\/\*) .................../ { print FILENAME ":1: begin with a line that says what the file is: // ..."; bad = 1 }
     END { exit bad }' "${sources[@]}" || failed=1

# A finding is run by its name, and short.
for finding in findings/*.sh; do
  [ -x "$finding" ] || { echo "$finding: cannot be run: chmod +x"; failed=1; }
  awk 'END { if (NR > 80) { print FILENAME ": " NR " lines; a finding has 80 at most"; exit 1 } }' "$finding" || failed=1
done

# Formatting, by version 14, Debian 12's: others break lines elsewhere. (--dry-run also reports comments that it would
# replace by themselves.)
format=$(command -v clang-format-14 || command -v clang-format || true)
if [ -z "$format" ] || ! "$format" --version | grep -q 'version 14\.'; then
  echo "lint.sh: clang-format 14 is not installed: formatting is not checked" >&2
elif [ -n "$fix" ]; then
  "$format" -i "${sources[@]}"
else
  cp --parents -t "$scratch" .clang-format "${sources[@]}"
  (cd "$scratch" && "$format" -i "${sources[@]}")
  for source in "${sources[@]}"; do
    diff -u --label "$source" --label "$source after scripts/lint.sh --fix" "$source" "$scratch/$source" || failed=1
  done
fi

[ -n "$tidy" ] || exit $failed
command -v clang-tidy > /dev/null || { echo "lint.sh: clang-tidy is not installed" >&2; exit 1; }
[ -n "$base" ] || base=$(git merge-base HEAD origin/main)
mapfile -t changed < <(
  { [ "$base" = all ] && printf '%s\n' "${sources[@]}" || git diff --name-only --diff-filter=d "$base"; } |
    grep -E '^(src|tools/effdet)/.*\.cc$' | grep -v '^src/kernels/cpu/isa/')
[ ${#changed[@]} -gt 0 ] || exit $failed
echo "clang-tidy on ${#changed[@]} files"
cmake --preset debug -B "$scratch/build" > "$scratch/configure.log"  # unity builds have no command for a source alone
sh -c "$(ninja -C "$scratch/build" -t commands -s src/artifact/generated/artifact/om_generated.h)"
printf '%s\n' "${changed[@]}" |
  xargs -P "$(nproc)" -n 1 clang-tidy -p "$scratch/build" --quiet --warnings-as-errors='*' 2> "$scratch/tidy.log" || failed=1
exit $failed
