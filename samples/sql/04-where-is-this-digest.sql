-- Which hosts have had this content, where, and from when to when? Doubtful observations may have been another content.
SELECT r.host, f.path, min(first_time) AS first_seen, max(last_time) AS last_seen, sum(observations) AS observations,
    max(CASE WHEN array_contains(doubts, 'old') OR array_contains(doubts, 'writer_open')
        OR array_contains(doubts, 'moved_during_hash') OR array_contains(doubts, 'same_digest_other_size')
        OR array_contains(doubts, 'unverifiable_fs') OR array_contains(doubts, 'not_revalidated') THEN 1 ELSE 0 END) AS has_doubt
FROM files AS f
JOIN recordings AS r ON r.recording_id = f.recording_id
WHERE digest = '4365e2cc78ac8a7538ad490f2ef3c8cb8f69721ba602d3cbbcd6fb41d62c2b04'
GROUP BY r.host, f.path
ORDER BY r.host, f.path
