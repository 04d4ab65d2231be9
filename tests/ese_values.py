# Prints every value of the ESE databases that are named, as ese_probe.c does.

import os
import sys

root = os.path.dirname(os.path.abspath(__file__)) + "/.."
shared = os.environ.get("KMS2CA_SHARED", root + "/../shared")
sys.path.insert(0, shared + "/ese")
sys.dont_write_bytecode = True
import eseread  # noqa: E402

db = eseread.ESE(sys.argv[1])
for name, table in db.tables.items():
    for i, row in enumerate(db.rows(name), 1):
        for column, value in row.items():
            for v in value if isinstance(value, list) else [value]:
                if column in table.cols:
                    print(name, i, table.cols[column].name, v.hex(), sep="\t")
