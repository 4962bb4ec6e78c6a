#!/usr/bin/env python3
"""The same annotations and results in effdet and in other evaluators: the tables of docs/validation.md.

    bench/evaluation/table                                # 5,000 images, 500,000 results; a fifth of that where others are slow
    bench/evaluation/table --large                        # also 100,000 images, 10 million results, 1,200 categories
    bench/evaluation/table --write docs/validation.md     # replaces the tables in the document

Run it through bench/evaluation/table, which installs the other programs. Files come from make_set.py. Times and memory are
of whole processes, Python's start included, which take turns; medians of the rounds. A program that takes long runs once.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "bench"))
import measure  # noqa: E402
from measure import markdown_table, replace_table  # noqa: E402

EFFDET = ROOT / "build/release/bin/effdet"
LONG = 20  # seconds, from which on once is enough
SETS = {
    "coco": ["--images", 5000, "--objects", 37000, "--results", 500000],
    "errors": ["--images", 1000, "--objects", 7400, "--results", 100000],
    "lvis": ["--images", 1000, "--objects", 12000, "--results", 100000, "--categories", 1203],
    "large": ["--images", 5000, "--objects", 43000, "--results", 500000, "--categories", 1200],
}
GROWTH = (2, 4, 10, 20)  # copies of the large set


class Files:
    def __init__(self, folder, annotations="instances.json"):
        self.annotations, self.results = folder / annotations, folder / "results.json"


def make_set(folder, options, annotations="instances.json"):
    subprocess.run([sys.executable, HERE / "make_set.py", folder, "--rounded-only", *map(str, options)], check=True)
    return Files(folder, annotations)


def effdet(files, *flags):
    """The numbers that --json prints, by name, those of errors without their counts."""
    def numbers(text):
        evaluation = json.loads(text)
        errors = evaluation.get("errors", {}).items()
        return {name: value["cost"] if isinstance(value, dict) else value for name, value in errors} or evaluation["stats"]
    return [EFFDET, "evaluate", files.annotations, files.results, "--json", *flags], numbers


def peer(name, files):
    return [sys.executable, HERE / "peers.py", name, files.annotations, files.results], json.loads


def difference(numbers, reference):
    """Between the numbers that both have, 0 to 1."""
    names = numbers.keys() & reference.keys()
    if not names:
        sys.exit(f"nothing to compare: {sorted(numbers)} and {sorted(reference)}")
    worst = max(abs(numbers[name] - reference[name]) for name in names)
    return "the same" if worst == 0 else f"within {worst:.0e}"


def compare(commands, rounds, threads, reference):
    """A row for each command, with the difference from the numbers of the one that is the reference."""
    limits = dict.fromkeys(("EFFDET_NUM_THREADS", "RAYON_NUM_THREADS", "OMP_NUM_THREADS"), str(threads))
    costs, numbers = {name: [] for name in commands}, {}
    for _ in range(rounds):
        for name, (command, read) in commands.items():
            if costs[name] and costs[name][0][0] > LONG:
                continue
            out, *cost = measure.run_counted(*command, **limits)
            costs[name].append(cost)
            numbers[name] = read(out)
    rows = []
    for name in commands:
        seconds, work, peak = zip(*costs[name])
        rows.append([name, difference(numbers[name], numbers[reference]) if name != reference else "reference",
                     f"{statistics.median(seconds):.2f}", f"{statistics.median(work):.2f}", f"{max(peak) / 1e6:.0f}"])
    return rows


def beside_others(commands, reference, options):
    return markdown_table(["", f"numbers, beside {reference}", "seconds", "processor seconds", "peak MB"],
                          compare(commands, options.rounds, options.threads, reference))


def coco(folder, options):
    files = make_set(folder, SETS["coco"])
    names = ("pycocotools", "faster-coco-eval", "hotcoco", "ultrafast-pycocotools")
    return beside_others({"effdet evaluate": effdet(files), **{name: peer(name, files) for name in names}}, "pycocotools",
                         options)


def errors(folder, options):
    files = make_set(folder, SETS["errors"])
    return beside_others({"effdet evaluate --errors": effdet(files, "--errors"), "tidecv": peer("tidecv", files)}, "tidecv",
                         options)


def lvis(folder, options):
    files = make_set(folder, [*SETS["lvis"], "--lvis"], "lvis.json")
    return beside_others({"effdet evaluate --lvis": effdet(files, "--lvis"), "lvis-api": peer("lvis-api", files)}, "lvis-api",
                         options)


def large(folder, options):
    """How time and memory grow with images, objects and results."""
    rows = []
    images, _, results = (value for value in SETS["large"][1:6:2])
    for copies in GROWTH:
        files = make_set(folder, [*SETS["large"], "--copies", copies])
        bytes_read = files.annotations.stat().st_size + files.results.stat().st_size
        (_, _, *costs), = compare({"effdet evaluate": effdet(files)}, options.rounds, options.threads, "effdet evaluate")
        rows.append([f"{images * copies:,}", f"{results * copies:,}", f"{bytes_read / 1e6:.0f}", *costs])
    return markdown_table(["images", "results", "MB of JSON", "seconds", "processor seconds", "peak MB"], rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", choices=("coco", "errors", "lvis", "large"), help="these tables")
    parser.add_argument("--large", action="store_true", help="also the table of large sets: 2 GB of files, some minutes")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", type=pathlib.Path, help="the document whose tables are replaced")
    options = parser.parse_args()
    makers = {"coco": coco, "errors": errors, "lvis": lvis, "large": large}
    wanted = options.only or [name for name in makers if name != "large" or options.large]
    with tempfile.TemporaryDirectory() as name:
        for mark in wanted:
            text = (f"{measure.machine()}; {options.threads} threads\n\n" + makers[mark](pathlib.Path(name) / mark, options))
            print(text, flush=True)
            if options.write:
                replace_table(options.write, mark, text)


if __name__ == "__main__":
    main()
