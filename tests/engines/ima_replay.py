"""An oracle that shares no code with hashtrail: replays a binary measurement list of IMA (little endian, 20-byte hashes).

Usage: ima_replay.py LIST. Prints one JSON object: entries, violations and their paths, wrong hashes, boots, and the value that each PCR
must have, as {"10": {"sha1": "…", …}}. "padded" is the same for a bank whose hash the kernel could not compute: there it
extends the SHA-1 with zeros after it.
"""

import hashlib
import json
import struct
import sys

BANKS = ("sha1", "sha256", "sha384", "sha512")


def entries(file):
    """Yields (pcr, template hash, the bytes that it is over, path)."""
    while head := file.read(28):
        pcr, template_hash, name_size = struct.unpack("<I20sI", head)
        name = file.read(name_size)
        if name == b"ima":
            digest, size = struct.unpack("<20sI", file.read(24))
            path = file.read(size)
            yield pcr, template_hash, digest + path.ljust(256, b"\0"), path
        else:
            (size,) = struct.unpack("<I", file.read(4))
            data = file.read(size)
            first = 4 + struct.unpack_from("<I", data)[0]
            length = struct.unpack_from("<I", data, first)[0]
            yield pcr, template_hash, data, data[first + 4 : first + 4 + length].rstrip(b"\0")


def main():
    violated = []
    pcrs, padded, counts = {}, {}, {"entries": 0, "violations": 0, "wrong": 0, "boots": 0}
    with open(sys.argv[1], "rb") as file:
        for pcr, template_hash, data, path in entries(file):
            violation = not any(template_hash)
            counts["entries"] += 1
            counts["violations"] += violation
            violated += [path.decode(errors="replace")] if violation else []
            counts["wrong"] += not violation and hashlib.sha1(data).digest() != template_hash
            counts["boots"] += path == b"boot_aggregate"
            sha1 = hashlib.sha1(data).digest()
            for bank in BANKS:
                size = hashlib.new(bank).digest_size
                for values, own in (pcrs, hashlib.new(bank, data).digest()), (padded, sha1.ljust(size, b"\0")):
                    banks = values.setdefault(pcr, {})
                    extended = b"\xff" * size if violation else own
                    banks[bank] = hashlib.new(bank, banks.get(bank, bytes(size)) + extended).digest()
    print(json.dumps({**counts, "violated": violated, "pcrs": shown(pcrs), "padded": shown(padded)}))


def shown(pcrs):
    return {str(pcr): {bank: value.hex() for bank, value in banks.items()} for pcr, banks in pcrs.items()}


main()
