"""Prints the rows of a query over one archive as JSON lines. Usage: rows.py ARCHIVE SQL"""

import json
import sys

from views import connect


def plain(value):
    return value.hex() if isinstance(value, bytes) else str(value)


cursor = connect(sys.argv[1]).execute(sys.argv[2])
names = [column[0] for column in cursor.description]
for row in cursor.fetchall():
    print(json.dumps(dict(zip(names, row)), default=plain))
