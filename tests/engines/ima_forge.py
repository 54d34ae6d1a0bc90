"""Forges one entry of a binary measurement list: the file's digest is another, and the template hash is that of it.

Usage: ima_forge.py LIST PATH FORGED. Lists of the template ima-ng; every entry of PATH is forged.
"""

import hashlib
import struct
import sys

source, path, target = sys.argv[1:]
data, forged, place, count = open(source, "rb").read(), bytearray(), 0, 0
while place < len(data):
    pcr, template_hash, name_size = struct.unpack_from("<I20sI", data, place)
    size_at = place + 28 + name_size
    (size,) = struct.unpack_from("<I", data, size_at)
    fields = bytearray(data[size_at + 4 : size_at + 4 + size])
    first = 4 + struct.unpack_from("<I", fields)[0]
    length = struct.unpack_from("<I", fields, first)[0]
    named = bytes(fields[first + 4 : first + 4 + length]).rstrip(b"\0").decode(errors="replace")
    if named == path and any(template_hash):
        fields[first - 1] ^= 1  # the last byte of the digest
        template_hash = hashlib.sha1(fields).digest()
        count += 1
    forged += struct.pack("<I20sI", pcr, template_hash, name_size) + data[place + 28 : size_at + 4] + fields
    place = size_at + 4 + size
if len(forged) != len(data) or count == 0:
    sys.exit(f"{count} entries of {path} forged, {len(forged)} of {len(data)} bytes")
open(target, "wb").write(forged)
