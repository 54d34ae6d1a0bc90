"""Judges what was printed about hostile names: nothing may drive a terminal, JSON and CSV must be read by Python's own modules, no
cell of CSV may be one that a spreadsheet runs, and names must come back.

Usage: hostile.py QUESTIONS NAMES     QUESTIONS is JSON, [{"out": FILE, "err": FILE}, …], NAMES is JSON, [[NAME, …], …] in hex;
prints a JSON list with, for each question, {"shape": …, "faults": […], "names": […], "paths": …}: the numbers of the names of which
one came back, and whether the first of any did
"""
import csv
import io
import json
import re
import sys

BIDI = "\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
FORMULAS = "=+-@\t\r\uff1d\uff0b\uff0d\uff20"
csv.field_size_limit(1 << 24)


def raw(name, data):
    """What of some bytes drives a terminal, or is no text."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        return [f"{name}: {error}"]
    found = {letter for letter in text if (ord(letter) < 32 or 127 <= ord(letter) < 160 or letter in BIDI) and letter != "\n"}
    return [f"{name}: {sorted(found)!r}"] if found else []


def name_of(text):
    """The bytes of a column's text, as docs/answers.md says."""
    data = text.encode()
    if not re.search(rb"\\x[89a-f][0-9a-f]", data):
        return data
    byte = lambda found: b"\\" if found[0] == b"\\\\" else bytes([int(found[0][2:], 16)])
    return re.sub(rb"\\\\|\\x[89a-f][0-9a-f]", byte, data)


def cell_text(cell):
    """What a cell of CSV was."""
    cell = cell[1:] if cell.startswith("'") else cell
    plain = {"\\n": "\n", "\\r": "\r", "\\t": "\t", "\\\\": "\\", "\\;": ";"}

    def letter(found):
        number = found[1] or found[2]
        return chr(int(number, 16)) if number else plain.get(found[0], found[0])

    return re.sub(r"\\x([0-9a-f]{2})|\\u\{([0-9a-f]+)\}|\\.", letter, cell)


def items(cell):
    """The items, if the cell is a list."""
    return [cell_text(item[0]) for item in re.finditer(r"(?:[^;\\]|\\.)+", cell)]


def texts(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from texts(item)


def is_run(cell):
    cell = cell.lstrip(' "')
    return cell[:1] in FORMULAS and cell != "" and not re.fullmatch(r"-?\d+", cell)


def read_csv(text):
    """Faults, and the names in it."""
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    faults = [f"a line of {len(row)} cells: {row!r:.200}" for row in rows if len(row) != len(rows[0])]
    faults += [f"a formula: {cell!r:.200}" for row in rows for cell in row if is_run(cell)]
    # Elsewhere `;` is between cells, and a quote within one is nothing.
    faults += [f"a formula between `;`: {cell!r:.200}" for line in text.split("\n") for cell in line.split(";") if is_run(cell)]
    found = set()
    for cell in (cell for row in rows for cell in row):
        found.update(name_of(text) for text in [cell_text(cell), *items(cell)])
    return faults, found


def read_json(text):
    found = set()
    for line in text.splitlines():
        found.update(name_of(text) for text in texts(json.loads(line)))
    return [], found


def read_body(text):
    """The name is `HOST:PATH [what is known]`, with `\\xNN` for each byte that is not shown."""
    found = set()
    for line in text.splitlines():
        name = line.split("|")[1].partition(":")[2].rpartition(" [")[0].encode()
        byte = lambda found: b"\\" if found[0] == b"\\\\" else bytes([int(found[0][2:], 16)])
        found.add(re.sub(rb"\\\\|\\x[0-9a-f]{2}", byte, name))
    return [], found


def shape_of(text):
    first = text.split("\n", 1)[0]
    if first.startswith("{"):
        return "json", read_json
    if re.fullmatch(r"[\w.@ ]+(,[\w.@ ]+)+", first):
        return "csv", read_csv
    if re.fullmatch(r"[^|]*(\|[^|]*){10}", first):
        return "body", read_body
    return "text", lambda text: ([], set())


def judge(question, names):
    out, err = (open(question[name], "rb").read() for name in ("out", "err"))
    faults = raw("stdout", out) + raw("stderr", err)
    shape, read = shape_of(out.decode(errors="replace"))
    found = set()
    try:
        more, found = read(out.decode(errors="replace"))
        faults += more
    except (ValueError, csv.Error, IndexError) as error:
        faults.append(f"no {shape}: {error}")
    back = [number for number, forms in enumerate(names) if any(form in found for form in forms)]
    return {"shape": shape, "faults": faults[:5], "names": back, "paths": any(forms[0] in found for forms in names)}


QUESTIONS, NAMES = (json.loads(argument) for argument in sys.argv[1:])
NAMES = [[bytes.fromhex(form) for form in forms] for forms in NAMES]
json.dump([judge(question, NAMES) for question in QUESTIONS], sys.stdout)
