"""What changed on a fleet, what is rare there, what is known to be bad, and what differs: a job for Spark.

Reads the archives of any number of hosts below folders or prefixes of an object store, and writes its answers as Parquet:

  hashtrail sql --engine spark --without-archives > stages.sql
  spark-submit fleet.py --sql stages.sql --archives s3a://evidence/ --out s3a://answers/1 --known-bad s3a://lists/bad.txt

OUT/answers/changes, change_gaps, change_suspects   as `hashtrail changes` tells them, a folder for each day
OUT/answers/rare                                    as `hashtrail rare`, a folder for each number of hosts
OUT/answers/hits                                    with --known-bad: where `hashtrail lookup` finds its digests, a folder for each day
OUT/answers/diff                                    with --before (on each host) or --left and --right: as `hashtrail diff`, by kind
OUT/answers/sources                                 each file of the archives by what became of it; `read` alone is answered from

An answer is whole where it has a file `_SUCCESS`. What was cut short is finished by the same command, about the same files: those
that were found first. Only files are read that a manifest names, with the size that it states: what is written or copied
just now is not, and no row counts twice where files were merged. Whether they are as they were sealed, `hashtrail verify` says.
Folders whose names begin with `_` or `.` are hidden from Spark: name them with --archives.
"""

import argparse
import datetime
import hashlib
import re
import sys
import urllib.parse

from pyspark.sql import SparkSession

TABLES = ("events", "files", "ledger", "packages")
STAGE = re.compile(r"INSERT OVERWRITE DIRECTORY '\$\{hashtrail\.work\}/(\w+)' USING parquet\n(.*)", re.DOTALL)
VIEW = re.compile(r"CREATE OR REPLACE TEMPORARY VIEW (\w+)\b(.*)", re.DOTALL)

SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "mapreduce.fileoutputcommitter.marksuccessfuljobs": "true",
    # One host may have a thousand times the events of another: partitions that have grown too large are split where they are joined.
    "spark.sql.adaptive.enabled": "true",
    "spark.sql.adaptive.skewJoin.enabled": "true",
    "spark.sql.adaptive.coalescePartitions.enabled": "true",
}

LINE = (
    "kind STRING, path STRING, sha256 STRING, size_bytes BIGINT, recording_id STRING, host STRING, "
    "facts STRUCT<boot_id: STRING, machine_id: STRING>, inputs ARRAY<STRUCT<path: STRING>>"
)

# What the manifests say, and what stands there.
FOUND = {
    "lines": """
SELECT archive, number, text, told.*
FROM (SELECT archive, number, text, from_json(text, '{line}') AS told FROM manifest_lines WHERE text <> '')
""",
    # What a path was first said to be holds. What was merged counts in the merged file, as soon as that is there.
    "sources": """
WITH named AS (
    SELECT *, row_number() OVER (PARTITION BY archive, path ORDER BY number) AS naming, substring_index(path, '/', 1) AS table_name,
        concat(archive, '/', path) AS file
    FROM lines WHERE kind IN ('file', 'compact') AND path IS NOT NULL
), known AS (
    SELECT named.*, stored.size_stored, coalesce(size_stored = size_bytes, FALSE) AS is_there
    FROM (SELECT * FROM named WHERE naming = 1) AS named LEFT JOIN stored ON stored.file = named.file
), merged AS (
    SELECT archive, path, max(is_there) AS is_whole
    FROM (SELECT archive, is_there, explode(inputs.path) AS path FROM known WHERE kind = 'compact') GROUP BY archive, path
), shared AS (
    SELECT recording_id, count(DISTINCT archive) > 1 AS is_shared FROM named GROUP BY recording_id
)
SELECT known.archive, known.table_name, known.path, known.file, known.recording_id, coalesce(is_shared, FALSE) AS is_shared, size_bytes,
    CASE WHEN merged.is_whole THEN 'merged' WHEN is_there AND table_name IN ({tables}) THEN 'read' WHEN is_there THEN 'of_no_table'
        WHEN kind = 'compact' THEN 'not_merged' WHEN size_stored IS NOT NULL THEN 'other_size' ELSE 'missing' END AS status
FROM known
LEFT JOIN merged ON merged.archive = known.archive AND merged.path = known.path
LEFT JOIN shared ON shared.recording_id = known.recording_id
UNION ALL
SELECT NULL, NULL, NULL, stored.file, NULL, FALSE, size_stored, 'not_named'
FROM stored LEFT ANTI JOIN named ON named.file = stored.file
UNION ALL
SELECT archive, NULL, 'manifest.jsonl', concat(archive, '/manifest.jsonl'), NULL, FALSE, count(*), 'damaged_lines'
FROM lines WHERE kind IS NULL GROUP BY archive
""",
    # As `hashtrail sql` writes them from manifests: one that several name counts where it is named first; machines that share a name
    # are told apart by their ids.
    "manifests": """
WITH numbered AS (
    SELECT lines.*, dense_rank() OVER (ORDER BY archive) - 1 AS place FROM lines WHERE recording_id IS NOT NULL
), firsts AS (
    SELECT recording_id, place, number, row_number() OVER (PARTITION BY recording_id ORDER BY place, number) AS naming FROM numbered
), starts AS (
    SELECT recording_id, max_by(facts.boot_id, (place, number)) AS boot_id, max_by(host, (place, number)) AS host,
        max_by(facts.machine_id, (place, number)) AS machine_id
    FROM numbered WHERE kind = 'start' GROUP BY recording_id
), machines AS (
    SELECT host, count(DISTINCT machine_id) AS machines FROM starts GROUP BY host
)
SELECT f.recording_id, CAST(place AS INT) AS archive, CAST(number AS INT) AS line, boot_id,
    CASE WHEN machines > 1 AND machine_id IS NOT NULL THEN concat(s.host, ' (machine ', substring(machine_id, 1, 8), ')') END AS machine
FROM firsts AS f
LEFT JOIN starts AS s ON s.recording_id = f.recording_id
LEFT JOIN machines AS m ON m.host = s.host
WHERE naming = 1
""",
}

DENIED = "(e.action = 'deny' AND e.enforced)"
LOADING = "(startswith(e.hook, 'bprm_') OR e.hook IN ('mmap_file', 'file_mprotect', 'kernel_read_file', 'running_process'))"
COMMITS = "array_contains(from_json(get_json_object(detail, '$.coverage.bprm_committed_creds'), 'ARRAY<STRING>'), '')"

RARE = {
    # Recordings that had each exec that succeeded, all of the time, and of which others are known to have failed.
    "recordings_with_commits": f"""
SELECT recording_id
FROM (
    SELECT s.recording_id, s.number, bool_or(p.boot_ns IS NOT NULL) AS has_all
    FROM spans_of_policies AS s
    LEFT JOIN (SELECT recording_id, boot_ns FROM ledger WHERE kind = 'policy' AND {COMMITS}) AS p
        ON p.recording_id = s.recording_id AND p.boot_ns >= s.begin_ns AND p.boot_ns < coalesce(s.end_ns, 9223372036854775807)
    GROUP BY s.recording_id, s.number
) AS spans
GROUP BY recording_id HAVING bool_and(has_all)
""",
    "attempts": """
WITH told AS (
    SELECT f.recording_id, f.digest_algorithm AS algorithm, f.digest, f.attempts IS NULL AND c.recording_id IS NULL AS is_silent
    FROM files AS f LEFT JOIN recordings_with_commits AS c ON c.recording_id = f.recording_id
    WHERE f.attempts IS NULL OR f.attempts > 0
), silent AS (
    SELECT recording_id FROM told WHERE is_silent
    UNION
    SELECT recording_id FROM policies LEFT ANTI JOIN recordings_with_commits USING (recording_id)
    WHERE list = 'hooks' AND hook = 'bprm_committed_creds'
)
SELECT DISTINCT told.recording_id, algorithm, digest, silent.recording_id IS NULL AS is_telling
FROM told LEFT JOIN silent ON silent.recording_id = told.recording_id
WHERE NOT is_silent
""",
    "failed_execs": """
SELECT e.recording_id, e.cpu, e.seq
FROM raw_events AS e
LEFT SEMI JOIN (SELECT recording_id FROM attempts WHERE is_telling) AS t ON t.recording_id = e.recording_id
LEFT ANTI JOIN (SELECT recording_id, exec_id FROM raw_events WHERE hook = 'bprm_committed_creds') AS c
    ON c.recording_id = e.recording_id AND c.exec_id = e.exec_id
WHERE startswith(e.hook, 'bprm_') AND e.exec_id IS NOT NULL
""",
    # What each event shows of its content. Of what user space hashed, the event that it is for says that.
    "sights": f"""
WITH used AS (
    SELECT e.recording_id, e.cpu, e.seq, e.hook, e.host, e.path, e.time, e.ref_cpu, e.ref_seq, e.digest_algorithm AS algorithm, e.digest,
        size(e.digest_doubt) = 0 AS is_certain, {LOADING} AS is_loading, {DENIED} OR f.seq IS NOT NULL AS is_tried
    FROM raw_events AS e
    LEFT JOIN failed_execs AS f ON f.recording_id = e.recording_id AND f.cpu = e.cpu AND f.seq = e.seq
), own AS (
    SELECT recording_id, host, path, time, algorithm, digest, is_certain, is_loading, is_tried
    FROM used WHERE NOT (hook = 'user_digest' AND ref_cpu IS NOT NULL AND ref_seq IS NOT NULL)
), hashed AS (
    SELECT u.recording_id, u.host, u.path, u.time, u.algorithm, u.digest, u.is_certain, coalesce(e.is_loading, FALSE) AS is_loading,
        coalesce(e.is_tried, FALSE) AS is_tried
    FROM (SELECT * FROM used WHERE hook = 'user_digest' AND ref_cpu IS NOT NULL AND ref_seq IS NOT NULL AND digest IS NOT NULL) AS u
    LEFT JOIN used AS e ON e.recording_id = u.recording_id AND e.cpu = u.ref_cpu AND e.seq = u.ref_seq
)
SELECT s.recording_id, coalesce(m.machine, s.host) AS host, path, time, algorithm, digest, is_certain, is_loading AND NOT is_tried AS is_loaded
FROM (SELECT * FROM own UNION ALL SELECT * FROM hashed) AS s
LEFT JOIN manifests AS m ON m.recording_id = s.recording_id
WHERE algorithm IS NOT NULL AND digest IS NOT NULL
""",
    # Of these digests a row of versions does not say which of its observations ran anything: their events do.
    "digests_by_events": """
SELECT algorithm, digest FROM sights WHERE NOT is_loaded
UNION
SELECT algorithm, digest FROM attempts
""",
    "loads": """
WITH runs_of_files AS (
    SELECT digest_algorithm AS algorithm, f.digest, coalesce(m.machine, f.host) AS host, path, first_time, last_time, observations, runs,
        d.digest IS NULL AS is_whole
    FROM files AS f
    LEFT JOIN digests_by_events AS d ON d.algorithm = f.digest_algorithm AND d.digest = f.digest
    LEFT JOIN manifests AS m ON m.recording_id = f.recording_id
    WHERE size(doubts) = 0
), of_events AS (
    SELECT s.* FROM sights AS s LEFT SEMI JOIN digests_by_events AS d ON d.algorithm = s.algorithm AND d.digest = s.digest
    WHERE is_certain
)
SELECT algorithm, digest, CASE WHEN is_whole THEN host END AS host, CASE WHEN is_whole THEN path END AS path,
    CASE WHEN is_whole THEN first_time END AS first_time, CASE WHEN is_whole THEN last_time END AS last_time,
    CASE WHEN is_whole THEN observations ELSE 0 END AS observations, runs, runs IS NULL AS has_runs_in_part, 0 AS not_run
FROM runs_of_files
UNION ALL
SELECT algorithm, digest, CASE WHEN is_loaded THEN host END, CASE WHEN is_loaded THEN path END, CASE WHEN is_loaded THEN time END,
    CASE WHEN is_loaded THEN time END, CASE WHEN is_loaded THEN 1 ELSE 0 END, NULL, FALSE, CASE WHEN is_loaded THEN 0 ELSE 1 END
FROM of_events
""",
    # How many hosts have it is counted before anything is gathered: what all hosts have is gathered nowhere.
    "rare": """
WITH counted AS (
    SELECT algorithm, digest, count(DISTINCT host) AS hosts FROM loads GROUP BY algorithm, digest
)
SELECT l.algorithm, l.digest, min(hosts) AS hosts, array_sort(collect_set(host)) AS host_names, sum(observations) AS observations,
    CASE WHEN NOT bool_or(has_runs_in_part) THEN sum(runs) END AS runs, sum(not_run) AS not_run, count(DISTINCT path) AS paths,
    slice(array_sort(collect_set(path)), 1, 5) AS first_paths, min(first_time) AS first_seen, max(last_time) AS last_seen
FROM loads AS l
JOIN (SELECT * FROM counted WHERE hosts BETWEEN 1 AND {at_most}) AS c ON c.algorithm = l.algorithm AND c.digest = l.digest
GROUP BY l.algorithm, l.digest
""",
}

HITS = {
    # First and last are those of events, whatever the clock showed.
    "hits": """
SELECT k.label, r.host, f.path, f.root_is_host, f.digest_algorithm AS algorithm, f.digest, size(f.doubts) > 0 AS is_doubtful,
    min_by(first_time, (r.rank, first_boot_ns, first_cpu, first_seq)) AS first_seen,
    max_by(last_time, (r.rank, last_boot_ns, last_cpu, last_seq)) AS last_seen, sum(observations) AS observations,
    CASE WHEN count(runs) = count(*) THEN sum(runs) END AS runs, count(DISTINCT f.boot_id, f.dev, f.ino, f.ino_generation) AS files
FROM files AS f
JOIN known_bad AS k ON k.digest = f.digest
JOIN recordings AS r ON r.recording_id = f.recording_id
GROUP BY k.label, r.host, f.path, f.root_is_host, f.digest_algorithm, f.digest, size(f.doubts) > 0
""",
}

NO_NAMES = "array('deleted', 'memfd', 'unreachable', 'too_long', 'no_scratch', 'mount_point')"
NO_CONTENT = "('no_file', 'not_regular_file', 'not_executable_mapping', 'pseudo_filesystem')"

DIFF = {
    # The times that a row can have observations of: also those that the clock showed where it was set between them.
    "spans_of_runs": """
WITH steps AS (
    SELECT recording_id, boot_ns, explode(array(
        (CAST(get_json_object(detail, '$.offset_before_ns') AS BIGINT) + boot_ns) DIV 1000,
        (CAST(get_json_object(detail, '$.offset_ns') AS BIGINT) + boot_ns) DIV 1000)) AS shown_us
    FROM ledger WHERE kind = 'clock'
), stepped AS (
    SELECT r.run, min(coalesce(shown_us, -9223372036854775807)) AS least_us, max(coalesce(shown_us, 9223372036854775807)) AS greatest_us
    FROM runs AS r
    JOIN steps AS s ON s.recording_id = r.recording_id AND s.boot_ns BETWEEN r.first_ns - 2000000000 AND r.last_ns + 2000000000
    WHERE r.observations > 1 GROUP BY r.run
)
SELECT r.host, r.path, r.root, r.algorithm, r.digest, r.doubt <> '' AS is_doubtful, r.first_us, r.last_us,
    least(r.first_us, r.last_us, least_us) AS from_us, greatest(r.first_us, r.last_us, greatest_us) AS to_us
FROM runs AS r LEFT JOIN stepped AS s ON s.run = r.run
WHERE r.mounted = ''
""",
    # Events that have no digest though their policy asked for one.
    "undigested": f"""
WITH roots AS (
    SELECT recording_id, min(root_dev) AS root_dev, min(root_ino) AS root_ino FROM files WHERE root_is_host GROUP BY recording_id
)
SELECT coalesce(m.machine, e.host) AS host, e.path,
    CASE WHEN r.recording_id IS NULL OR (r.root_dev = e.root_dev AND r.root_ino = e.root_ino) THEN ''
        ELSE e.boot_id || ' ' || e.root_dev || ' ' || CAST(e.root_ino AS STRING) END AS root,
    CAST(NULL AS STRING) AS algorithm, CAST(NULL AS STRING) AS digest, FALSE AS is_doubtful,
    unix_micros(e.time) AS first_us, unix_micros(e.time) AS last_us, unix_micros(e.time) AS from_us, unix_micros(e.time) AS to_us
FROM raw_events AS e
LEFT ANTI JOIN (
    SELECT recording_id, ref_cpu, ref_seq FROM raw_events WHERE hook = 'user_digest' AND digest_status = 'ok'
) AS u ON u.recording_id = e.recording_id AND u.ref_cpu = e.cpu AND u.ref_seq = e.seq
LEFT JOIN roots AS r ON r.recording_id = e.recording_id
LEFT JOIN manifests AS m ON m.recording_id = e.recording_id
WHERE e.digest_status = 'unavailable' AND coalesce(e.digest_reason, '') NOT IN {NO_CONTENT} AND e.hook <> 'user_digest'
    AND e.path IS NOT NULL AND NOT arrays_overlap(e.path_flags, {NO_NAMES})
""",
    "sightings": """
SELECT side, {subject} AS compared_on, path, root, host, algorithm, digest, is_doubtful,
    CASE WHEN first_us >= since_us AND first_us < until_us THEN first_us WHEN last_us >= since_us AND last_us < until_us THEN last_us END
        AS first_us,
    CASE WHEN last_us >= since_us AND last_us < until_us THEN last_us WHEN first_us >= since_us AND first_us < until_us THEN first_us END
        AS last_us
FROM (SELECT * FROM spans_of_runs UNION ALL SELECT * FROM undigested) AS s
JOIN (VALUES {sides}) AS sides (side, of_host, since_us, until_us)
    ON (of_host IS NULL OR of_host = host) AND to_us >= since_us AND from_us < until_us
""",
    "tallies": """
SELECT compared_on, path, root, side, algorithm,
    array_sort(collect_set(CASE WHEN NOT is_doubtful THEN digest END)) AS digests,
    array_sort(collect_set(CASE WHEN is_doubtful THEN digest END)) AS doubtful_digests,
    CASE WHEN algorithm IS NULL THEN count(*) ELSE 0 END AS without_digest,
    array_sort(collect_set(host)) AS hosts, min(least(first_us, last_us)) AS first_us, max(greatest(first_us, last_us)) AS last_us
FROM sightings
GROUP BY compared_on, path, root, side, algorithm
""",
    # Where a side has no digest at all of a place, what was seen without one stands beside each digest of the other side.
    "diff": """
WITH places AS (
    SELECT compared_on, path, root, collect_set(algorithm) AS algorithms,
        collect_list(CASE WHEN side = 'left' THEN tally END) AS lefts, collect_list(CASE WHEN side = 'right' THEN tally END) AS rights
    FROM (SELECT *, struct(algorithm, digests, doubtful_digests, without_digest, hosts, first_us, last_us) AS tally FROM tallies)
    GROUP BY compared_on, path, root
), compared AS (
    SELECT *, explode_outer(algorithms) AS algorithm FROM places
), chosen AS (
    SELECT *, get(filter(lefts, t -> t.algorithm = algorithm OR size(array_compact(lefts.algorithm)) = 0), 0) AS l,
        get(filter(rights, t -> t.algorithm = algorithm OR size(array_compact(rights.algorithm)) = 0), 0) AS r,
        coalesce(get(filter(lefts, t -> t.algorithm IS NULL), 0).without_digest, 0) AS left_without_digest,
        coalesce(get(filter(rights, t -> t.algorithm IS NULL), 0).without_digest, 0) AS right_without_digest
    FROM compared
), told AS (
    SELECT *, CASE
        WHEN l IS NOT NULL AND r IS NOT NULL THEN CASE WHEN size(l.digests) = 0 OR size(r.digests) = 0 THEN 'not_known'
            WHEN l.digests = r.digests THEN 'same' ELSE 'different' END
        WHEN l IS NULL AND size(lefts) > 0 OR r IS NULL AND size(rights) > 0 THEN 'not_comparable'
        WHEN l IS NOT NULL THEN 'only_left' ELSE 'only_right' END AS kind
    FROM chosen
)
SELECT kind, compared_on AS host, path, root, algorithm,
    l.digests AS left_digests, r.digests AS right_digests,
    l.doubtful_digests AS left_doubtful_digests, r.doubtful_digests AS right_doubtful_digests,
    CASE WHEN l IS NOT NULL THEN left_without_digest END AS left_without_digest,
    CASE WHEN r IS NOT NULL THEN right_without_digest END AS right_without_digest,
    l.hosts AS left_hosts, r.hosts AS right_hosts,
    timestamp_micros(l.first_us) AS left_first_seen, timestamp_micros(l.last_us) AS left_last_seen,
    timestamp_micros(r.first_us) AS right_first_seen, timestamp_micros(r.last_us) AS right_last_seen
FROM told WHERE kind <> 'same'
""",
}

DAY = "SELECT a.*, CAST(CAST(changed_before AS DATE) AS STRING) AS date FROM {name} AS a"
DAY_OF_CHANGE = "SELECT a.*, CAST(CAST(c.changed_before AS DATE) AS STRING) AS date FROM {name} AS a JOIN changes AS c ON c.change = a.change"

# What is written, by what it is made of, and by what it is partitioned.
ANSWERS = {
    "sources": ("SELECT * FROM sources", "status"),
    "changes": (DAY.format(name="changes"), "date"),
    "change_gaps": (DAY_OF_CHANGE.format(name="change_gaps"), "date"),
    "change_suspects": (DAY_OF_CHANGE.format(name="change_suspects"), "date"),
    "rare": ("SELECT * FROM rare", "hosts"),
    "hits": ("SELECT h.*, CAST(CAST(first_seen AS DATE) AS STRING) AS date FROM hits AS h", "date"),
    "diff": ("SELECT * FROM diff", "kind"),
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sql", required=True, help="what `hashtrail sql --engine spark --without-archives` printed")
    parser.add_argument("--archives", required=True, action="append", help="folder or prefix with archives below it; repeatable")
    parser.add_argument("--out", required=True, help="folder or prefix of one question: another one needs another")
    parser.add_argument("--known-bad", help="list of digests, one a line, as sha256sum prints it: the rest of the line is its label")
    parser.add_argument("--at-most", type=int, default=1, help="hosts that have what is rare (default 1)")
    parser.add_argument("--before", type=micros, help="compare on each host what was seen before this time, in RFC 3339, and from then on")
    parser.add_argument("--left", help="name of a host to be compared with --right")
    parser.add_argument("--right", help="name of a host")
    options = parser.parse_args()
    if bool(options.left) != bool(options.right) or (options.left and options.before is not None):
        parser.error("compare either times with --before, or two hosts with --left and --right")
    return options


def micros(text):
    time = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    if time.tzinfo is None:
        raise argparse.ArgumentTypeError(f"`{text}` says no zone: end it with Z")
    return (time - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)) // datetime.timedelta(microseconds=1)


def quoted(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def sides(options):
    """Those that are compared, as rows: name, host, from when and until when."""
    least, greatest = "CAST(-9223372036854775808 AS BIGINT)", "9223372036854775807"
    if options.left:
        sides = [("left", quoted(options.left), least, greatest), ("right", quoted(options.right), least, greatest)]
    else:
        none = "CAST(NULL AS STRING)"
        sides = [("left", none, least, options.before), ("right", none, options.before, greatest)]
    return ", ".join(f"('{side}', {host}, {since}, {until})" for side, host, since, until in sides)


class Stages:
    """Queries under names, each run once. What several others ask is written, and is there when the job begins anew."""

    def __init__(self, spark, out):
        self.spark, self.out, self.queries = spark, out, {}

    def path(self, name):
        return f"{self.out}/stages/{name}"

    def add(self, queries):
        clash = self.queries.keys() & queries.keys()
        assert not clash, f"two stages have one name: {clash}"
        self.queries.update(queries)

    def run(self, asked):
        """Runs them in their order, as far as the queries that are asked need them."""
        names = needed(self.queries, asked)
        texts = [self.queries[name] for name in names] + list(asked)
        for name in names:
            uses = sum(len(re.findall(rf"\b{name}\b", text)) for text in texts)
            frame = self.spark.sql(self.queries[name])
            if uses > 1:
                self.keep(name, frame)
            else:
                frame.createOrReplaceTempView(name)

    def keep(self, name, frame):
        write(self.spark, frame, self.path(name))
        self.spark.read.schema(frame.schema).parquet(self.path(name)).createOrReplaceTempView(name)


def needed(queries, asked):
    """Names of the queries that others name, also by way of others, in their order."""
    names, texts = set(), list(asked)
    while texts:
        words = set(re.findall(r"\w+", texts.pop()))
        new = (queries.keys() & words) - names
        names |= new
        texts += [queries[name] for name in new]
    return [name for name in queries if name in names]


def is_whole(spark, path):
    mark = spark._jvm.org.apache.hadoop.fs.Path(path + "/_SUCCESS")
    return mark.getFileSystem(spark.sparkContext._jsc.hadoopConfiguration()).exists(mark)


def write(spark, frame, path, partition=()):
    """Writes what is not there as a whole; Spark takes away what a job left that was cut short."""
    if not is_whole(spark, path):
        frame.write.mode("overwrite").partitionBy(*partition).parquet(path)


def literal(path):
    """A path that Spark takes for no glob."""
    return re.sub(r"([\\\[\]{}*?])", r"\\\1", path)


def find_files(stages, roots):
    """The views `lines`, `sources` and `manifests`, as they were when the job first began."""
    spark = stages.spark
    listed = spark.read.option("recursiveFileLookup", True)
    manifests = listed.option("pathGlobFilter", "manifest.jsonl").text([*map(literal, roots)], wholetext=True)
    manifests.selectExpr(
        "regexp_replace(_metadata.file_path, '/manifest[.]jsonl$', '') AS archive", "posexplode(split(value, '\\n')) AS (number, text)"
    ).createOrReplaceTempView("manifest_lines")
    stored = listed.option("pathGlobFilter", "*.parquet").format("binaryFile").load([*map(literal, roots)])
    stored.selectExpr("_metadata.file_path AS file", "length AS size_stored").createOrReplaceTempView("stored")
    tables = ", ".join(map(quoted, TABLES))
    for name, query in FOUND.items():
        stages.keep(name, spark.sql(query.format(line=LINE, tables=tables)))


def read_table(spark, table, schema):
    """Its rows; those of recordings that stand in several archives once. Names of files are all that the driver is told."""
    read = spark.table("sources").where(f"status = 'read' AND table_name = '{table}'")
    frames = []
    for is_shared in (False, True):
        names = [literal(urllib.parse.unquote(row.file)) for row in read.where(f"is_shared = {is_shared}").select("file").toLocalIterator()]
        if names:
            # Columns that files of older recorders lack are null, those of newer ones are passed over.
            frame = spark.read.schema(schema).parquet(*names)
            frames.append(frame.distinct() if is_shared else frame)
    return frames


def read_tables(stages, script):
    """Takes what the tool printed apart: its tables, which have no rows, get those of the archives, and its stages are added."""
    for statement in script.split(";\n"):
        statement = "\n".join(line for line in statement.split("\n") if not line.startswith("--")).strip()
        stage, view = STAGE.match(statement), VIEW.match(statement)
        table = view and {"raw_events": "events"}.get(view[1], view[1])
        if stage and stage[1] != "manifests":
            stages.add({stage[1]: stage[2]})
        elif table in TABLES and view[1] != "events":
            stages.spark.sql(statement)
            schema = stages.spark.table(view[1]).schema
            frame, *more = read_table(stages.spark, table, schema) or [stages.spark.table(view[1])]
            for other in more:
                frame = frame.union(other)
            # The index and the ledger are many small files that several stages read.
            if table in ("files", "ledger"):
                stages.keep(table, frame)
            else:
                frame.createOrReplaceTempView(view[1])
        elif view and view[1] == "policies":
            stages.spark.sql(statement)


def read_known_bad(stages, path):
    lines = stages.spark.read.text(literal(path)).selectExpr("trim(value) AS line").where("line <> '' AND NOT startswith(line, '#')")
    lines.createOrReplaceTempView("list_lines")
    digest = r"regexp_extract(line, '^([0-9A-Fa-f]+)(\\s|$)', 1)"
    query = f"""
SELECT DISTINCT lower({digest}) AS digest, trim(substring(line, length({digest}) + 1)) AS label FROM list_lines
WHERE length({digest}) IN (32, 40, 56, 64, 96, 128)"""
    stages.keep("known_bad", stages.spark.sql(query))
    unusable = lines.where(f"length({digest}) NOT IN (32, 40, 56, 64, 96, 128)").count()
    if unusable:
        print(f"{path}: {unusable} line(s) begin with no digest and are not looked for", file=sys.stderr)


def begin(stages, question):
    """What stands in `out` is of this question alone."""
    stages.keep("question", stages.spark.sql(f"SELECT '{hashlib.sha256(question.encode()).hexdigest()}' AS question"))
    if stages.spark.table("question").where(f"question <> '{hashlib.sha256(question.encode()).hexdigest()}'").count():
        sys.exit(f"`{stages.out}` answers another question (SQL or options): name another --out")


def tell(spark):
    """What became of the files; everything but `read` and `merged` is told."""
    counts = {row.status: row["count"] for row in spark.table("sources").groupBy("status").count().collect()}
    print(f"{counts.pop('read', 0)} file(s) read, {counts.pop('merged', 0)} merged into others", file=sys.stderr)
    counts.pop("not_merged", None)
    for status, count in sorted(counts.items()):
        print(f"Not complete: {count} {status.replace('_', ' ')}: see the answer `sources`", file=sys.stderr)


def main():
    options = arguments()
    spark = SparkSession.builder.appName("hashtrail fleet").getOrCreate()
    for name, value in SETTINGS.items():
        spark.conf.set(name, value)
    script = "\n".join(row.value for row in spark.read.text(literal(options.sql)).toLocalIterator())
    stages = Stages(spark, options.out.rstrip("/"))
    begin(stages, repr((script, sorted(vars(options).items()))))
    find_files(stages, options.archives)
    read_tables(stages, script)
    stages.add({name: query.replace("{at_most}", str(options.at_most)) for name, query in RARE.items()})
    asked = ["sources", "changes", "change_gaps", "change_suspects", "rare"]
    if options.known_bad:
        read_known_bad(stages, options.known_bad)
        stages.add(HITS)
        asked.append("hits")
    if options.left or options.before is not None:
        subject = "''" if options.left else "host"
        told = {name: query.replace("{sides}", sides(options)).replace("{subject}", subject) for name, query in DIFF.items()}
        stages.add(told)
        asked.append("diff")
    stages.run([ANSWERS[name][0] for name in asked])
    for name in asked:
        query, partition = ANSWERS[name]
        write(spark, spark.sql(query), f"{stages.out}/answers/{name}", [partition])
    tell(spark)
    spark.stop()


if __name__ == "__main__":
    main()
