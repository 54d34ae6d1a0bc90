"""The recorded trace, and archives of any size that are made of it."""

import hashlib
import json
import shutil
import subprocess

CHUNK_EVENTS = 1_000_000
ZEROS = "0" * 64


class Trace:
    """The trace under target/vm/trace: an archive and the journal that it was sealed from."""

    def __init__(self, root, binaries):
        self.root, self.binaries = root, binaries
        self.kept = root / "target/vm/trace"
        self.archive = self.kept / "archive"
        self.work = root / "target/bench"
        self.journal_program = self.work / "journal"
        self.segments = sorted((self.kept / "journal").glob("*.journal"))
        self.work.mkdir(parents=True, exist_ok=True)
        sources = sorted((root / "tests/bench").glob("*.c"))
        flags = ["-O2", "-march=native", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror"]
        subprocess.run(["gcc", *flags, "-o", self.journal_program, *sources], check=True)
        counted = subprocess.run([self.journal_program, "count", *self.segments], check=True, capture_output=True)
        self.events = int(counted.stdout)

    def start_line(self, recording_id, later_ns):
        line = json.loads((self.archive / "manifest.jsonl").read_text().splitlines()[0])
        line["recording_id"] = recording_id
        for name in line["clock"]:
            line["clock"][name] += later_ns
        return line

    def replay(self, archive, number, first, copies):
        """Lays copies of the trace into an archive's journal, as one recording that was cut off."""
        recording_id = f"{number:08x}-0000-4000-8000-000000000000"
        journal = archive / ".journal"
        journal.mkdir(parents=True, exist_ok=True, mode=0o700)
        command = [self.journal_program, "replay", journal, recording_id, str(first), str(copies), *self.segments]
        later_ns = int(subprocess.run(command, check=True, capture_output=True).stdout)
        append(archive / "manifest.jsonl", self.start_line(recording_id, later_ns))

    def recover(self, archive):
        """The command that seals what stands in an archive's journal."""
        return [self.binaries / "hashtrail-recorder", "recover", "--archive", archive]

    def bulk(self, events):
        """An archive of about this many events; kept as long as the trace and the programs are the same."""
        parts = [self.archive / "manifest.jsonl", self.journal_program, self.binaries / "hashtrail-recorder"]
        key = hashlib.sha256(b"".join(part.read_bytes() for part in parts)).hexdigest()[:12]
        archive = self.work / f"{events}-{key}"
        if (archive / "complete").exists():
            return archive
        for old in self.work.glob(f"{events}-*"):
            shutil.rmtree(old)
        copies, per_chunk = max(1, round(events / self.events)), max(1, round(CHUNK_EVENTS / self.events))
        for number, first in enumerate(range(0, copies, per_chunk)):
            self.replay(archive, number + 1, first, min(per_chunk, copies - first))
            subprocess.run(self.recover(archive), check=True, capture_output=True)
        (archive / "complete").touch()
        return archive


def append(manifest, line):
    """Appends a line to a manifest, chained to the one before and with its checksum, as the recorder does."""
    lines = manifest.read_bytes().splitlines(keepends=True) if manifest.exists() else []
    line["prev"] = hashlib.sha256(lines[-1]).hexdigest() if lines else ZEROS
    line.pop("crc32c", None)
    text = json.dumps(line, separators=(",", ":"), ensure_ascii=False)
    text = f'{text[:-1]},"crc32c":"{crc32c(text[:-1].encode())}"}}\n'
    with manifest.open("ab") as out:
        out.write(text.encode())


def crc32c(block):
    """The checksum of a manifest's line, which is short."""
    crc = 0xFFFFFFFF
    for byte in block:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return f"{crc ^ 0xFFFFFFFF:08x}"
