"""Answers questions about archives, one a line on stdin as {"archive", "sql"}: {"rows"} or {"error"}, one a line."""

import json
import sys

from views import connect


def plain(value):
    return value.hex() if isinstance(value, bytes) else str(value)


def rows(archive, sql):
    with connect(archive) as connection:
        cursor = connection.execute(sql)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row)) for row in cursor.fetchall()]


for line in sys.stdin:
    question = json.loads(line)
    try:
        answer = {"rows": rows(question["archive"], question["sql"])}
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer, default=plain), flush=True)
