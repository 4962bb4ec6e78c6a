"""A case: a number of the list of bad inputs, what is wrong with its files, and the function that makes them."""
import dataclasses
from pathlib import Path
from typing import Callable

LEGAL, DAMAGED = "legal", "damaged"


@dataclasses.dataclass
class Case:
    number: int | None  # of docs/bad-inputs.md; None: beside the numbered ones
    what: str
    make: Callable  # folder -> bytes, a list of bytes, or the path of what it wrote there
    status: str | None  # LEGAL: has to be read. DAMAGED: who reads it takes wrong data for right. None: may be either
    suffix: str

    def files(self, folder: Path):
        """Writes the files of this case below a folder of its own; returns the paths that a program is given."""
        folder.mkdir(parents=True)
        made = self.make(folder)
        if isinstance(made, Path):
            return [made]
        paths = []
        for index, content in enumerate([made] if isinstance(made, bytes) else made):
            paths.append(folder / f"{index}{self.suffix}")
            paths[-1].write_bytes(content)
        return paths


class Cases(list):
    """The cases of one kind of file, in the order in which they are declared."""

    def __init__(self, suffix):
        self.suffix = suffix

    def __call__(self, number, what, status=None, suffix=None):
        def declare(make):
            self.append(Case(number, what, make, status, suffix or self.suffix))
            return make

        return declare
