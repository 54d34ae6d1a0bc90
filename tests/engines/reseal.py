"""What a forger does who can write an archive without a signature: makes its manifest anew for the files as they are.

Usage: reseal.py ARCHIVE
"""

import hashlib
import json
import pathlib
import sys

BLOCK = 65536


def crc32c(block):
    crc = 0xFFFFFFFF
    for byte in block:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return f"{crc ^ 0xFFFFFFFF:08x}"


archive = pathlib.Path(sys.argv[1])
manifest = archive / "manifest.jsonl"
before = [json.loads(line) for line in manifest.read_text().splitlines()]
prev, lines = "0" * 64, []
for line in before:
    line["prev"] = prev
    if line["kind"] in ("file", "ima"):
        content = (archive / line["path"]).read_bytes()
        if line["sha256"] != hashlib.sha256(content).hexdigest():
            line["size_bytes"], line["sha256"] = len(content), hashlib.sha256(content).hexdigest()
            line["block_crc32c"] = "".join(crc32c(content[at : at + BLOCK]) for at in range(0, len(content), BLOCK))
    has_checksum = line.pop("crc32c", None) is not None
    text = json.dumps(line, separators=(",", ":"), ensure_ascii=False)
    if has_checksum:
        text = f'{text[:-1]},"crc32c":"{crc32c(text[:-1].encode())}"}}'
    text += "\n"
    prev = hashlib.sha256(text.encode()).hexdigest()
    lines.append(text)
manifest.write_text("".join(lines))
