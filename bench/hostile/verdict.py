"""Words for what became of a file, and a cell of the table for one file or many."""
import collections
import re

from case import DAMAGED

READ, REFUSED, MEMORY, TIME, CRASHED = "read", "refused", "out of memory", "over time", "crashed"
WARNED, WRONG = "read with a warning", "read wrongly"
LONGEST = 120  # letters of a message in a table

# What stands in messages and says nothing of the file.
NOISE = [
    r"\[ONNXRuntimeError\] : \d+ : \w+ : ",
    r"Exception during initialization: ",
    r"[\w/]+\.(cc|h):\d+ (\w+\*? )?(onnxruntime::[\w:]+\(.*?\)|\w+) ",
    r"External data path validation failed for initializer: \w+\. Error: ",
    r"Weights only load failed\..*(trusted source\. |case: WeightsUnpickler error: |WeightsUnpickler error: )",
    r"Check the documentation of torch\.load.*",
    r"This is an internal miniz error.*",
    r"\x1b\[\d*m",
]


def shown(text, folder):
    """A message as a table can have it: one line, without the temporary folder, not too long."""
    for noise in NOISE:
        text = re.sub(noise, "", text)
    text = re.sub(r"0x[0-9a-f]{6,}", "0x...", " ".join(text.replace(folder, "FOLDER").split()))
    text = text[:LONGEST - 3] + "..." if len(text) > LONGEST else text
    text = "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in text)
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace("`", "'")
    return re.sub(r"([|*_])", r"\\\1", text)


def word(case, result):
    wrong = result["verdict"] == READ and case.status == DAMAGED
    return WRONG if wrong else result["verdict"]


def cell(case, results, folder):
    """One file: the word and what was said. Many: the words with their numbers, and the kinds of refusals."""
    if len(results) == 1:
        text = shown(results[0]["text"], folder)
        return f"**{word(case, results[0])}**" + (f": {text}" if text else "")
    groups = collections.Counter(word(case, result) for result in results)
    parts = []
    for name, count in groups.most_common():
        classes = collections.Counter(result.get("class") for result in results if word(case, result) == name)
        said = [text for text in classes if text]
        if len(said) > 1:
            said = [f"{count} {text}" for text, count in classes.most_common()]
        parts.append(f"**{name}** {count} of {len(results)}" + (f" ({', '.join(said)})" if said else ""))
    return "; ".join(parts)


class Tally:
    """How many files came to which word in each program."""
    WORDS = [REFUSED, READ, WARNED, WRONG, MEMORY, TIME, CRASHED]

    def __init__(self):
        self.words = collections.defaultdict(collections.Counter)  # by the kind of file and the program

    def add(self, kind, program, case, results):
        self.words[kind, program].update(word(case, result) for result in results)

    def markdown(self):
        rows = [[kind, program, str(words.total()), *(str(words[name] or "") for name in self.WORDS)]
                for (kind, program), words in self.words.items()]
        return markdown(["section", "program", "files", *self.WORDS], rows)


def markdown(headings, rows):
    return "\n".join("| " + " | ".join(row) + " |" for row in [headings, ["---"] * len(headings), *rows])
