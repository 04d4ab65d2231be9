"""liar.py DIR LIE: a PostgreSQL server that lies, for one client, on a Unix
socket in DIR: what no honest one sends.  Of libpq it knows what the tools use."""
import os
import socket
import struct
import sys

folder, lie = sys.argv[1:]


def msg(kind, body=b""):
    return kind + struct.pack(">I", len(body) + 4) + body


def rows(oid, cols, n=1):
    """n rows of these columns."""
    out = msg(b"T", struct.pack(">H", len(cols)) + b"".join(
        b"c\0" + struct.pack(">IHIhih", 0, 0, oid, -1, -1, 1) for _ in cols))
    body = b"".join(struct.pack(">I", len(c)) + c for c in cols)
    out += msg(b"D", struct.pack(">H", len(cols)) + body) * n
    return out + msg(b"C", b"SELECT\0")


def said(kind):
    """An error or a notice with what a terminal obeys."""
    return msg(kind, b"SX\0VX\0C42601\0M\x1b[31mred\xff\n\0\0")


READY = msg(b"Z", b"I")
TEXT, INT8 = 25, 20
SETTINGS = [b"UTF8", b"on", b"on", b"", b"false"]
simple = {  # by a word of the statement
    "server_encoding": rows(TEXT, SETTINGS),
    "obj_description": rows(TEXT, [b"kms2ca archive, version 4"] + [b"t"] * 3),
}
answer = rows(INT8, [], 0)
if lie == "no-row":
    simple["server_encoding"] = rows(TEXT, SETTINGS, 0)
elif lie == "no-column":
    simple["obj_description"] = rows(TEXT, [])
elif lie == "error":
    simple["server_encoding"] = said(b"E")
elif lie == "notice":
    simple["server_encoding"] = said(b"N") + simple["server_encoding"]
elif lie == "wide":  # escapes, each of which is kept until the next row
    answer = rows(TEXT, [b"\xef\xbf\xbd41"] * 300)
elif lie == "again":  # the last RequestID is 9, and the row is always 0
    answer = rows(INT8, [b"\0" * 8, b"\0" * 7 + b"\x09"])

listener = socket.socket(socket.AF_UNIX)
listener.bind(folder + "/new")
listener.listen(1)
os.rename(folder + "/new", folder + "/.s.PGSQL.5432")
conn = listener.accept()[0]
os.unlink(folder + "/.s.PGSQL.5432")
stream = conn.makefile("rb")
size, = struct.unpack(">I", stream.read(4))
stream.read(size - 4)
conn.sendall(msg(b"R", bytes(4)) + msg(b"S", b"client_encoding\0UTF8\0") +
             (said(b"N") if lie == "notice" else b"") + READY)
out = b""
while kind := stream.read(1):
    size, = struct.unpack(">I", stream.read(4))
    body = stream.read(size - 4)
    if kind == b"Q":
        word = [w for w in simple if w in body.decode()]
        conn.sendall((simple[word[0]] if word else msg(b"C", b"SET\0")) + READY)
    elif kind in b"PBE":
        out += {b"P": msg(b"1"), b"B": msg(b"2"), b"E": answer}[kind]
    elif kind == b"S":
        conn.sendall(out + READY)
        out = b""
    elif kind == b"X":
        break
