"""What hostile files do to the programs that people read them with, and to effdet: the tables of docs/security.md.

  bench/hostile/table                                 prints the tables
  bench/hostile/table --write docs/security.md        replaces them in the document
  bench/hostile/table --only onnx --keep files        some of the kinds; the files stay in that folder

Run it through bench/hostile/table, which installs the packages. EFFDET names another binary than that of build/release.
A reader has 20 seconds of the processors and 4 GiB of address space for a file, and a process of its own. The script
ends with 1 where effdet ends with a code that docs/exit-codes.md does not have, says more than one line of error, takes
more time or memory than the list of bad inputs allows, leaves an output behind, or refuses what has to be read.
"""
import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(1, str(Path(__file__).resolve().parent.parent))
import kinds
import measure
import ours
import peers
import verdict

ROOT = Path(__file__).resolve().parent.parent.parent


def row(case, folder, kind, readers, effdet):
    """What each program made of a case's files, effdet last, and what effdet did that it must not."""
    paths = case.files(folder)
    results = [[reader.read(path) for path in paths] for reader in readers]
    ours_first, *others = [[effdet.read(command, kind.summary, path) for path in paths] for command in kind.commands]
    faults = [f"{case.number} {case.what}: {result['command']}: {fault}" for result in sum(others, ours_first)
              for fault in effdet.faults(case, result)]
    return [*results, ours_first], faults


def table(name, kind, work, effdet, tally, keep):
    """The table of a kind, and effdet's faults."""
    readers = [peers.Peer(reader) for reader in kind.readers]
    command = kind.commands[0](effdet, Path("FILE"))[0]
    programs = [*(peers.HEADINGS[reader] for reader in kind.readers), f"`effdet {command}`"]
    rows, faults = [], []
    for index, case in enumerate(kind.cases):
        folder = work / name / str(index)
        results, wrong = row(case, folder, kind, readers, effdet)
        for program, of_program in zip(programs, results):
            tally.add(name, program, case, of_program)
        cells = [str(case.number or ""), case.what, *(verdict.cell(case, each, str(folder)) for each in results)]
        if not keep:
            shutil.rmtree(folder)
        print(f"{name} {' | '.join(cells)}", file=sys.stderr)
        rows.append(cells)
        faults += wrong
    for reader in readers:
        reader.close()
    return verdict.markdown(["case", "what is wrong", *programs], rows), faults


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", metavar="KIND", choices=list(kinds.KINDS), help=", ".join(kinds.KINDS))
    parser.add_argument("--write", type=Path, metavar="FILE", help="the document whose tables are replaced")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave the files there")
    arguments = parser.parse_args()
    work = arguments.keep or Path(tempfile.mkdtemp(prefix="effdet-hostile-"))
    effdet = ours.Effdet(os.environ.get("EFFDET", ROOT / "build/release/bin/effdet"), work)
    tally, faults = verdict.Tally(), []
    try:
        for name in arguments.only or kinds.KINDS:
            text, wrong = table(name, kinds.KINDS[name], work, effdet, tally, arguments.keep)
            faults += wrong
            print(f"\n{name}\n\n{text}", flush=True)
            if arguments.write:
                measure.replace_table(arguments.write, f"hostile {name}", text)
    finally:
        if not arguments.keep:
            shutil.rmtree(work, ignore_errors=True)
    print(f"\n{peers.versions()}\n\n{tally.markdown()}")
    if arguments.write and not arguments.only:
        measure.replace_table(arguments.write, "hostile sum", f"{peers.versions()}\n\n{tally.markdown()}")
    print("\n".join(["", *faults]) if faults else "\neffdet: nothing to complain of", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
