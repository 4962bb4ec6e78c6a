#!/usr/bin/env bash
# The program that spark_detect.py pipes labels of shards to ("0/4"), one a line; it answers with the labels that are
# done. Of an empty partition it gets nothing, and does nothing.
# Usage: spark_pipe.sh LIST MODEL OUT [FLAG...]
set -u
list=$1 model=$2 out=$3
shift 3
while read -r shard; do
  effdet detect --list "$list" --model-file "$model" --out "$out" --shard "$shard" --resume "$@" < /dev/null >&2
  code=$?
  case $code in 0 | 3) echo "$shard" ;; *) exit $code ;; esac
done
