#!/usr/bin/env python3
"""leak.py [-x CORE] FILE WHAT...: names every secret that stands in a core, or in
any other file, and where (of an ELF file, the address); -x names a core of the
same process, and what is in FILE only is marked.  WHAT is a PEM or DER
private key without a password, or text:PASSWORD, file:PATH, its first line.

Keys: p, q and d of RSA, the private value of EC; pieces of 16 bytes, so that
what is half overwritten is found too.  As they are and the other way round,
raw, as hex and as base64.  Passwords: UTF-8, UTF-16, hex, base64.
"""

import base64
import bisect
import struct
import sys

from cryptography.hazmat.primitives import serialization

PIECE = 16


def numbers(path):
    data = open(path, "rb").read()
    load = (serialization.load_pem_private_key if b"-----BEGIN" in data
            else serialization.load_der_private_key)
    n = load(data, None).private_numbers()
    if hasattr(n, "p"):
        values = {"p": n.p, "q": n.q, "d": n.d}
    else:
        values = {"value": n.private_value}
    for name, v in values.items():
        yield path.split("/")[-1] + " " + name, v.to_bytes(
            (v.bit_length() + 7) // 8, "big")


def pieces(raw):
    """The two ends and the middle."""
    if len(raw) <= PIECE:
        return {raw}
    middle = (len(raw) - PIECE) // 2
    return {raw[:PIECE], raw[middle:middle + PIECE], raw[-PIECE:]}


def base64s(raw):
    """What base64 of anything with raw in it has of raw, at each alignment."""
    for shift in range(3):
        skip = (3 - shift) % 3
        whole = (len(raw) - skip) // 3 * 3
        if whole > 0:
            yield base64.b64encode(raw[skip:skip + whole])


def needles(what):
    kind, _, value = what.partition(":")
    if kind == "text" or kind == "file":
        if kind == "file":
            value = open(value, encoding="utf-8").readline().rstrip("\n")
        raw = value.encode()
        for form, v in (("UTF-8", raw), ("UTF-16BE", value.encode("utf-16-be")),
                        ("UTF-16LE", value.encode("utf-16-le"))):
            yield "password " + form, v
        yield "password hex", raw.hex().encode()
        for v in base64s(raw):
            yield "password base64", v
        return
    for name, v in numbers(what):
        for order, one in (("", v), (" reversed", v[::-1])):
            for piece in pieces(one):
                yield name + order, piece
                yield name + order + " hex", piece.hex().encode()
        for piece in pieces(v):
            yield name + " HEX", piece.hex().upper().encode()
            for one in base64s(piece):
                yield name + " base64", one


def segments(data):
    """Address, file offset and size of what is in memory, or the file."""
    if data[:5] != b"\x7fELF\x02":
        return [(0, 0, len(data))]
    at, = struct.unpack_from("<Q", data, 32)
    size, n = struct.unpack_from("<HH", data, 54)
    out = []
    for i in range(n):
        kind, _, offset, addr, _, filesz = struct.unpack_from(
            "<IIQQQQ", data, at + i * size)
        if kind == 1 and filesz > 0:
            out.append((addr, offset, filesz))
    return out


def runs(data):
    """The segments without their pages of zeros."""
    zero = bytes(4096)
    for addr, offset, size in segments(data):
        start = None
        for at in range(offset, offset + size + 4096, 4096):
            page = data[at:min(at + 4096, offset + size)]
            empty = page == zero[:len(page)]
            if start is None and not empty:
                start = at
            elif start is not None and empty:
                yield addr + start - offset, data[start:at]
                start = None


def main():
    args = sys.argv[1:]
    there = None
    if args[0] == "-x":
        there = segments(open(args[1], "rb").read())
        args = args[2:]
    data = open(args[0], "rb").read()
    where, parts, size = [], [], 0
    for addr, run in runs(data):
        where.append((size, addr))
        parts += [run, bytes(PIECE)]
        size += len(run) + PIECE
    memory = b"".join(parts)
    found = set()
    n = 0
    for what in args[1:]:
        for name, needle in needles(what):
            n += 1
            at = memory.find(needle)
            while at != -1:
                start, addr = where[bisect.bisect(where, (at, 1 << 64)) - 1]
                addr += at - start
                only = there is not None and not any(
                    a <= addr < a + n for a, _, n in there)
                found.add("%#x %s%s" % (addr, name,
                                        ", excluded" if only else ""))
                at = memory.find(needle, at + 1)
    if n == 0 or not memory.strip(bytes(1)):
        sys.exit("leak.py: nothing to look for, or nothing in it")
    print("".join(sorted(line + "\n" for line in found)), end="")


main()
