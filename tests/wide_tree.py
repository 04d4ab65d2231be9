"""wide_tree.py FILE TABLE: make the table of this SQLite database a tree whose
inner pages name one leaf many times over: some pages, and rows without end."""

import sqlite3
import struct
import sys

name, table = sys.argv[1:]
base = sqlite3.connect(name)
base.execute('pragma wal_checkpoint(truncate)')
(root,), = base.execute('select rootpage from sqlite_schema where name = ?',
                        (table,)).fetchall()
(last,), = base.execute('select max(rowid) from ' + table).fetchall()
base.close()
data = bytearray(open(name, 'rb').read())
size = struct.unpack_from('>H', data, 16)[0]
size = 65536 if size == 1 else size


def page(n):
    return data[(n - 1) * size:n * size]


def inner(child):
    """An inner page with 300 ways to the child, all of them of the same key."""
    cells, at, out = 300, size - data[20], bytearray(size)
    for i in range(cells):
        cell = struct.pack('>IB', child, last)
        at -= len(cell)
        out[at:at + len(cell)] = cell
        struct.pack_into('>H', out, 12 + 2 * i, at)
    struct.pack_into('>BHHHBI', out, 0, 5, 0, cells, at, 0, child)
    return out


assert page(root)[0] == 13 and last < 128
child = len(data) // size + 1
data += page(root)
for _ in range(4):
    data += inner(child)
    child += 1
data[(root - 1) * size:root * size] = inner(child)
struct.pack_into('>I', data, 28, len(data) // size)
open(name, 'wb').write(data)
