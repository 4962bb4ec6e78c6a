#!/usr/bin/env bash
# Slurm, a task for each shard: sbatch --export=ALL,LIST=photos.txt,MODEL=d7.om,OUT=found bench/scale/slurm_array.sh
# Submitted again, it runs what is missing. Then: effdet merge found/detections.json --results found/detections.json
#SBATCH --job-name=effdet
#SBATCH --array=0-3
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=1
# A node that is lost: Slurm runs the task again elsewhere.
#SBATCH --requeue
set -u

# What may succeed when it is tried again: docs/scale.md#exit-codes-for-schedulers.
for attempt in 1 2 3; do
  effdet detect --list "$LIST" --model-file "$MODEL" --out "$OUT" --shard auto --resume
  code=$?
  case $code in 4 | 7 | 137) ;; *) break ;; esac
  echo "attempt $attempt ended with $code" >&2
done
exit $code
