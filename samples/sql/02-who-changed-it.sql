-- Who can have changed a file in these intervals? Acts before an interval wrote the new file under another name.
SELECT c.path, c.changed_before, s.time, s.act, s.before_interval, s.pid, s.uid, s.exe, s.parent_comm, s.path AS path_of_act
FROM changes AS c
JOIN change_suspects AS s ON s.change = c.change
WHERE c.path = '/usr/sbin/backup-agent'
ORDER BY c.changed_before, s.time, s.cpu, s.seq
