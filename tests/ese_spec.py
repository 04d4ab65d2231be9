# Writes a specification for ../../shared/ese/mkese.py on stdout: a database with
# each kind of column, long values of none to many chunks, and trees of several
# levels.  The same each time.  With an argument, a smaller one.

import json
import random
import sys

random.seed(18)
few = len(sys.argv) > 1


def noise(n):
    return {"hex": random.randbytes(n).hex()}


def text(n):
    return "".join(random.choice("the quick brown fox ") for _ in range(n))


kinds = [["Id", "long"], ["Bit", "bit"], ["Byte", "ubyte"], ["Short", "short"],
         ["Money", "currency"], ["Float", "single"], ["Double", "double"],
         ["When", "datetime"], ["Unsigned", "ulong"], ["Big", "longlong"],
         ["Guid", "guid"], ["Word", "ushort"], ["Small", "binary"],
         ["Name", "text"], ["Wide", "text", {"cp": 1200}],
         ["Blob", "longbinary"], ["Note", "longtext", {"cp": 1200}],
         ["Tight", "longbinary", {"compressed": True}],
         ["Seven", "longtext", {"compressed": True}],
         ["Many", "longbinary"], ["Few", "text", {"kind": "tagged"}]]
sizes = [0, 1, 900, 1023, 1024, 4013, 4014, 4015, 8028, 8029, 16000, 40000,
         100000, 300000]
if few:
    sizes = sizes[:10]
rows = []
for i in range(10 if few else 60):
    row = {"Id": i * 7 - 100, "Bit": i & 1, "Byte": i, "Short": -i,
           "Money": i << 33, "Float": i / 4, "Double": i / 8,
           "When": {"time": "2004-01-19T10:00:%02dZ" % i},
           "Unsigned": 1 << 31 | i, "Big": -(1 << 40) - i, "Guid": i << 99,
           "Word": i, "Small": noise(i), "Name": text(i), "Wide": text(2 * i),
           "Blob": noise(sizes[i % len(sizes)]), "Note": text(i * i),
           "Tight": {"hex": text(sizes[(i + 5) % len(sizes)] % 60000)
                     .encode().hex()},
           "Seven": text(i), "Many": [noise(i), noise(1200 + i), noise(3)],
           "Few": [text(5), text(i)]}
    for k in list(row)[1:]:
        if random.random() < 0.2:
            del row[k]
    rows.append(row)
small = [{"Key": i, "Text": text(i % 40), "Blob": noise(30)}
         for i in range(200 if few else 3000)]
json.dump({"tables": [
    {"name": "Kinds", "primary": ["Id"], "columns": kinds, "rows": rows},
    {"name": "Deep", "primary": ["Key"], "columns": [
        ["Key", "long"], ["Text", "text"], ["Blob", "longbinary"]],
     "rows": small},
    {"name": "Empty", "columns": [["A", "long"], ["B", "longtext"]]}]},
    open("/dev/stdout", "w"))
