# Damages an ESE database: ese_edit.py IN OUT EDIT...
#
#	break PAGE		one bit of it is wrong, and so is its checksum
#	zero PAGE		it was never written
#	set PAGE OFFSET HEX	other bytes, under a checksum that is right
#	header OFFSET HEX	the same in both headers
#	cut BYTES		nothing behind that
#
# PAGE is a number, or found by its table: TABLE is the root, TABLE.lv that of its
# long values; .0, .1, .-1 behind it is the page that node leads to.
# ese_edit.py IN - PAGE prints the number.

import os
import struct
import sys

root = os.path.dirname(os.path.abspath(__file__)) + "/.."
shared = os.environ.get("KMS2CA_SHARED", root + "/../shared")
sys.path.insert(0, shared + "/ese")
sys.dont_write_bytecode = True
import eseread  # noqa: E402


def number(db, name):
    if name.isdigit():
        return int(name)
    table, *rest = name.split(".")
    page = db.tables[table].root
    for step in rest:
        if step == "lv":
            page = db.tables[table].lv
        else:
            nodes = db.nodes(page)[1]
            page = struct.unpack_from("<I", nodes[int(step)][2])[0]
    return page


def seal(data, size, page):
    b = data[(page + 1) * size:(page + 2) * size]
    sums = eseread.page_sum(bytes(b), page)[1]
    if struct.unpack_from("<I", b, 36)[0] & 0x2000:
        for i, s in list(enumerate(sums))[::-1]:
            struct.pack_into("<Q", b, i and 32 + 8 * i, s)
            if i:
                continue
            # the sums of the other blocks are in the first one
            s = eseread.page_sum(bytes(b), page)[1][0]
            struct.pack_into("<Q", b, 0, s)
    else:
        struct.pack_into("<II", b, 0, 0, page)
        struct.pack_into("<I", b, 0, eseread.page_sum(bytes(b), page)[1][0]
                         & 0xffffffff)
    data[(page + 1) * size:(page + 2) * size] = b


def main():
    path, out, *edits = sys.argv[1:]
    db = eseread.ESE(path)
    data = bytearray(open(path, "rb").read())
    if out == "-":
        print(number(db, edits[0]))
        return
    while edits:
        what = edits.pop(0)
        if what == "cut":
            del data[int(edits.pop(0)):]
            continue
        if what == "header":
            at, new = int(edits.pop(0)), bytes.fromhex(edits.pop(0))
            for head in 0, db.ps:
                data[head + at:head + at + len(new)] = new
                struct.pack_into("<I", data, head, eseread.xor32(
                    data[head + 4:head + db.ps], eseread.MAGIC))
            continue
        page = number(db, edits.pop(0))
        at = (page + 1) * db.ps
        if what == "break":
            data[at + 200] ^= 4
        elif what == "zero":
            data[at:at + db.ps] = bytes(db.ps)
        elif what == "set":
            off, new = int(edits.pop(0)), bytes.fromhex(edits.pop(0))
            off %= db.ps
            data[at + off:at + off + len(new)] = new
            seal(data, db.ps, page)
        else:
            sys.exit("no edit: " + what)
    open(out, "wb").write(data)


main()
