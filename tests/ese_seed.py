# Writes an ESE database as a seed for fuzz/ese.c: ese_seed.py DATABASE SEED.

import re
import sys

data = open(sys.argv[1], "rb").read()
size = int.from_bytes(data[236:240], "little") or 4096
out = bytes([(size // 2048).bit_length() - 1])
for i in range(min(66, len(data) // size)):
    page = data[i * size:(i + 1) * size]
    for run in re.finditer(rb"(?s)[^\0](?:.{0,250}?(?=\0{5}|$)|.{250})", page):
        out += bytes([i]) + run.start().to_bytes(2, "little")
        out += bytes([len(run[0])]) + run[0]
open(sys.argv[2], "wb").write(out)
