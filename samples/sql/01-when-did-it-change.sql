-- When did this content come to a path, and when did it go? `complete` is false where something was lost meanwhile.
SELECT host, path, kind, from_digest, to_digest, changed_after, changed_before, complete, doubts
FROM changes
WHERE '4365e2cc78ac8a7538ad490f2ef3c8cb8f69721ba602d3cbbcd6fb41d62c2b04' IN (from_digest, to_digest)
ORDER BY changed_before, host, path
