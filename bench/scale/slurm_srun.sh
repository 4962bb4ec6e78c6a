#!/usr/bin/env bash
# Slurm, all shards at a time, joined by the first task:
# sbatch --ntasks=4 --export=ALL,LIST=photos.txt,MODEL=d7.om,OUT=found bench/scale/slurm_srun.sh
#SBATCH --job-name=effdet
#SBATCH --cpus-per-task=1
#SBATCH --requeue
set -u

for attempt in 1 2 3; do
  srun --cpu-bind=none effdet detect --list "$LIST" --model-file "$MODEL" --out "$OUT" --resume
  code=$?
  case $code in 4 | 7 | 137) ;; *) break ;; esac
  echo "attempt $attempt ended with $code" >&2
done
exit $code
