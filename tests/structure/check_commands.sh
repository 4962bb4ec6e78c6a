#!/usr/bin/env bash
# Checks that every flag in the documentation's examples is one that the command's --help knows, and that a command that
# goes on in the next line says so by a backslash, so that it can be copied.
# Usage: check_commands.sh BIN PAGE...   (BIN: the folder with effdet and the tools' names)
set -euo pipefail
bin=$1
shift
helps=$(mktemp -d)
trap 'rm -rf "$helps"' EXIT

# Lines "page:line command flag" of what stands in blocks of commands; a line that ends in \ goes on.
examples=$(awk '
  /^```/ { open = !open; commands = open && /^```(sh|bash)?$/; next }
  commands {
    sub(/ #.*/, "")
    text = text $0
    if (sub(/\\$/, "", text)) next
    parts = split(text, commands_of, / (&&|\|) /)
    for (p = 1; p <= parts; ++p) {
      n = split(commands_of[p], words, " ")
      first = words[1] == "effdet" ? words[1] " " words[2] : words[1]
      for (i = 1; i <= n; ++i) if (words[i] ~ /^--?[a-z]/) { sub(/=.*/, "", words[i]); print FILENAME ":" FNR, first, words[i] }
    }
    text = ""
  }' "$@")

failed=0 checked=0
broken=$(awk -v names="$(ls "$bin" | tr '\n' ' ')" '
  BEGIN { n = split(names, list, " "); for (i = 1; i <= n; ++i) is_program[list[i]] = 1 }
  /^```/ { open = !open; commands = open && /^```(sh|bash)?$/; first = ""; next }
  commands {
    if (/^ +[^ ]/ && (is_program[first] || first ~ /^bench\//) && last !~ /\\$/) print FILENAME ":" FNR ": the line before it ends without \\"
    if (!/^ /) first = $1
    last = $0
  }' "$@")
if [ -n "$broken" ]; then echo "$broken"; failed=1; fi
while read -r place command rest; do
  program=$bin/$command words=$rest name=$command
  if [ "$command" = effdet ]; then name="effdet ${rest%% *}" words=${rest#* }; fi
  [ -x "$program" ] || continue
  help=$helps/${name// /_}
  [ -e "$help" ] || "$program" ${name#"$command"} --help > "$help"
  checked=$((checked + 1))
  grep -qE -e "(^|[ ,])$words([ ,=]|$)" "$help" || { echo "$place: $name has no flag $words"; failed=1; }
done <<< "$examples"
[ $checked -gt 20 ] || { echo "only $checked flags found: are examples still in blocks of three backticks?"; failed=1; }
exit $failed
