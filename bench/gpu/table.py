"""Joins the files of bench/gpu/run to one table and results.json."""
import json
import sys
from pathlib import Path

out = Path(sys.argv[1])
lines = lambda name: [json.loads(line) for line in (out / name).read_text().splitlines() if line.startswith("{")]
ours = json.loads((out / "effdet.json").read_text())
floors = {row["model"]: row for row in lines("floors.jsonl")}
peers = {row["model"]: row for row in lines("pytorch.jsonl")}
rows = [{**run, **floors[Path(run["model"]).stem], "pytorch": peers.get(Path(run["model"]).stem, {})} for run in ours["runs"]]
(out / "results.json").write_text(json.dumps({**ours, "runs": rows}, indent=1) + "\n")

number = lambda value, digits=2: "" if value is None else f"{value:.{digits}f}"
print(f"{ours['gpu']}: {ours['flops'] / 1e12:.0f} TFLOPS in a float16 product of 8192, {ours['bytes'] / 1e9:.0f} GB/s in a copy\n")
print("| model | batch | ms | best ms | floor ms | eager ms | compiled ms | ratio | to the GPU ms | from it ms |\n"
      "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
for row in rows:
    compiled = row["pytorch"].get("compiled_ms")
    print("| " + " | ".join([row["model"], str(row["batch"]), number(row["ms"], 3), number(row["best_ms"], 3),
                             number(max(row["arithmetic_ms"], row["traffic_ms"]), 3), number(row["pytorch"].get("eager_ms")),
                             number(compiled), number(compiled / row["ms"]) if compiled else "", number(row["upload_ms"]),
                             number(row["download_ms"])]) + " |")
