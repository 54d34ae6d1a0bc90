-- A row for each hook that a policy records, and for each of which it stops rows.
CREATE OR REPLACE TEMP TABLE policies AS
WITH noted AS (
    SELECT recording_id, boot_ns, told, CASE WHEN json_type(told, '$.suppressing') = 'OBJECT' THEN 1 ELSE 0 END AS tells_suppressed
    FROM (
        SELECT recording_id, boot_ns, CASE WHEN json_valid(detail) THEN detail END AS told FROM ledger WHERE kind = 'policy'
    )
)
SELECT recording_id, boot_ns, 'policy' AS list, '' AS hook, tells_suppressed FROM noted
UNION ALL
SELECT recording_id, boot_ns, 'hooks' AS list, unnest(json_extract_string(told, '$.hooks[*]')) AS hook, tells_suppressed FROM noted
UNION ALL
SELECT recording_id, boot_ns, 'rate_limit' AS list, unnest(json_extract_string(told, '$.suppressing.rate_limit[*]')) AS hook,
    tells_suppressed
FROM noted
UNION ALL
SELECT recording_id, boot_ns, 'dedupe' AS list, unnest(json_extract_string(told, '$.suppressing.dedupe[*]')) AS hook, tells_suppressed
FROM noted;
