-- A row for each hook that a policy records, and for each of which it stops rows.
CREATE OR REPLACE TEMPORARY VIEW policies AS
WITH noted AS (
    SELECT recording_id, boot_ns, detail AS told,
        CASE WHEN get_json_object(detail, '$.suppressing') LIKE '{%' THEN 1 ELSE 0 END AS tells_suppressed
    FROM ledger WHERE kind = 'policy'
)
SELECT recording_id, boot_ns, 'policy' AS list, '' AS hook, tells_suppressed FROM noted
UNION ALL
SELECT recording_id, boot_ns, 'hooks' AS list, explode(from_json(get_json_object(told, '$.hooks'), 'ARRAY<STRING>')) AS hook,
    tells_suppressed
FROM noted
UNION ALL
SELECT recording_id, boot_ns, 'rate_limit' AS list,
    explode(from_json(get_json_object(told, '$.suppressing.rate_limit'), 'ARRAY<STRING>')) AS hook, tells_suppressed
FROM noted
UNION ALL
SELECT recording_id, boot_ns, 'dedupe' AS list,
    explode(from_json(get_json_object(told, '$.suppressing.dedupe'), 'ARRAY<STRING>')) AS hook, tells_suppressed
FROM noted;
