#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets: sound files of each format in its variants, and hostile ones of which each once did harm.
Usage: make_seeds.py [FOLDER]; the folder is by default `seeds` beside this script. Needs nothing but Python."""

import gzip
import io
import json
import pathlib
import struct
import sys
import zipfile
import zlib

FOLDER = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent / "seeds")


def put(target, name, data, choice=None):
    """`choice`: the first byte, of targets that take one (targets.c)."""
    folder = FOLDER / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes((b"" if choice is None else bytes([choice])) + data)


def idx(shape, values):
    return struct.pack(">I", 0x800 + len(shape)) + struct.pack(f">{len(shape)}I", *shape) + bytes(values)


def packed(data):
    return gzip.compress(data, 9, mtime=0)


def npy(descr, shape, values, order=False, version=1):
    header = f"{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}".encode()
    start = 10 if version == 1 else 12
    header += b" " * (63 - (start + len(header)) % 64) + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(header)) + header + values


def npz(members, method=zipfile.ZIP_STORED, force=False):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name + ".npy", (1980, 1, 1, 0, 0, 0))
            info.compress_type = method
            with archive.open(info, "w", force_zip64=force) as member:
                member.write(data)
    return out.getvalue()


def chunk(kind, body, length=None):
    return struct.pack(">I", len(body) if length is None else length) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


SIGNATURE = b"\x89PNG\r\n\x1a\n"


def png(columns, rows, depth, kind, lines, interlaced=0, more=b""):
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", columns, rows, depth, kind, 0, 0, interlaced))
    return SIGNATURE + header + more + chunk(b"IDAT", zlib.compress(lines, 9)) + chunk(b"IEND", b"")


def safetensors(header, values=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + values


def arrays():
    images, labels = idx((2, 3, 4), range(24)), idx((5,), range(5))
    put("idx", "images", images, 0)
    put("idx", "labels", labels, 1)
    put("idx", "values", idx((3, 4), range(12)), 2)
    put("idx", "images.gz", packed(images), 0)
    put("idx", "members.gz", packed(labels[:6]) + packed(labels[6:]), 1)
    put("idx", "zeros.gz", packed(idx((1 << 20,), bytes(1 << 20))), 1)  # a thousand times itself
    put("idx", "promise", idx((0xFFFFFFFF, 28, 28), b""), 0)
    u8 = npy("|u1", "(2, 3, 4)", bytes(range(24)))
    f4 = npy("<f4", "(2, 2)", struct.pack("<4f", 1, 2.5, -3, 0))
    for name, data in (("u8", u8), ("f4", f4), ("f8", npy("<f8", "()", struct.pack("<d", 1))), ("i4", npy("<i4", "(1,)", bytes(4))),
                       ("version2", npy("|u1", "(1,)", b"x", version=2)), ("fortran", npy("<f4", "(2, 2)", bytes(16), True)),
                       ("gz", packed(f4)), ("large", npy("<f4", "(1073741824, 1073741824)", b""))):
        put("npy", name, data, 0)
    put("npy", "npz", npz({"x": f4}), 1)
    put("npz", "stored", npz({"other": f4, "images": u8}), 0)
    put("npz", "deflated", npz({"images": u8, "labels": npy("|u1", "(3,)", b"\1\2\3")}, zipfile.ZIP_DEFLATED), 1)
    put("npz", "zip64", npz({"x": npy("|u1", "(1, 4)", b"abcd")}, force=True), 2)
    put("npz", "zeros", npz({"labels": npy("|u1", f"({1 << 20},)", bytes(1 << 20))}, zipfile.ZIP_DEFLATED), 1)


def pictures():
    for name, data in (("raw.pgm", b"P5\n3 2\n255\n" + bytes(range(6))), ("text.pgm", b"P2 # comment\n2 2 15\n0 1 2 15\n"),
                       ("wide.pgm", b"P5 2 1 65535 " + bytes(4)), ("promise.pgm", b"P5 60000 60000 255 ")):
        put("pgm", name, data)
        put("image", name, data)
    text = chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(20000)))
    pngs = {"grey": png(2, 2, 8, 0, b"\0\1\2\1\3\4"), "bits": png(9, 1, 1, 0, b"\0\xa5\x80"), "rgb": png(1, 1, 8, 2, b"\0\1\2\3"),
            "palette": png(2, 1, 8, 3, b"\0\0\1", more=chunk(b"PLTE", bytes(6)) + chunk(b"tRNS", b"\0")),
            "alpha": png(1, 1, 16, 6, b"\0" + bytes(8)), "interlaced": png(3, 3, 8, 0, b"\0\1\0\2\0\3\0\4\5\0\6\7\x08"[:13], 1),
            "texts": png(1, 1, 8, 0, b"\0\7", more=20 * text), "zeros": png(200, 200, 8, 0, bytes(40200))}
    for kind in (b"eXIf", b"iTXt", b"sPLT", b"zTXt", b"tEXt", b"pCAL"):  # 44 bytes that asked for 2.1 GB
        pngs[f"claims-{kind.decode()}"] = pngs["grey"][:33] + struct.pack(">I", 0x7FFFFFF0) + kind + b"abc"
    for name, data in pngs.items():
        put("png", name, data)
        if not name.startswith("claims"):
            put("image", name + ".png", data)
    put("image", "idx", idx((1, 2, 2), range(4)))
    put("image", "idx.gz", packed(idx((1, 2, 2), range(4))))


def weights():
    f32 = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
    put("safetensors", "one", safetensors({"w": f32}, bytes(8)))
    put("safetensors", "two", safetensors({"__metadata__": {"model": "fcnn", "k": "v"}, "a/b": f32,
                                           "c": {"dtype": "U8", "shape": [], "data_offsets": [8, 9]}}, bytes(9)))
    put("safetensors", "empty", safetensors({}))
    put("safetensors", "escapes", safetensors(b'{"\\u001b[2J\\ud83d\\ude00\\u202e":{"shape":[0,3],"dtype":"BF16","data_offsets":[0,0]}}  '))
    put("safetensors", "steers", safetensors(b'{"\\u001b[2J":{"shape":[],"dtype":"\\u009b","data_offsets":[0,0]}}'))
    put("safetensors", "overlap", safetensors({"a": f32, "b": f32}, bytes(8)))
    put("safetensors", "twice", safetensors(b'{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'))
    many = ",".join(f'"{i:x}":{{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}' for i in range(300))
    put("safetensors", "many", safetensors(f"{{{many}}}".encode()))


def tables():
    put("csv", "plain", b"a,b\n1,2.5\n-3e2,NA\n", 16)
    put("csv", "quoted", b'"a";"b ""c"""\r\n1;"2"\r\n;nan\r\n', 1)
    put("csv", "bom", b"\xef\xbb\xbfa,b\r1,2\r", 4)
    put("csv", "headless", b"1,2\n3,4\n", 8)
    put("csv", "tabs", b"a\tb\n 1 \t2\n", 2)
    put("csv", "commas", b"," * 999 + b"\n" + b"," * 999 + b"\n", 0)
    put("csv", "columns", b"," * 3000, 0)
    put("csv", "open", b'a,b\n1,"2\n\n', 0)
    put("csv", "steers", b"a,b\n1,\x1b[2J\xc2\x9b\xff\n", 0)
    header = b"epoch,accuracy,loss,val_accuracy,val_loss,seconds\n"
    put("history", "two", header + b"0,0.5,1.25,0.5,nan,2\n1,0.75,inf,1,0,3e1\n")
    put("history", "none", header)
    put("history", "wrong", header + b"1,2,3\n")


def texts():
    record = {"model": "fcnn", "test_accuracy": 0.97, "test_loss": None, "data": "MNIST", "note": "n", "parameters": 12,
              "multiply_adds": 1e6, "seconds": 1.5, "seed": 18446744073709551615, "threads": 2, "isa": "avx2", "version": "0.1.0",
              "command": "fcnn_mnist", "settings": {"a": "b"}, "classes": ["x", "y"], "confusion": [[1, 2], [3, 4]]}
    put("record", "whole", json.dumps(record).encode())
    put("record", "least", b'{"model":"a","data":"b","confusion":[[7]]}')
    put("record", "nested", b'{"x":' + b"[" * 40)
    put("record", "escapes", json.dumps({"model": "\x1b\u202e\U0001f600", "data": "\u009b", "confusion": [[1]]}).encode())
    put("names", "ten", "\n".join(f"name {i}" for i in range(10)).encode(), 9)
    put("names", "utf8", "\ufeffcafé\r\n日本\r\n".encode(), 1)
    put("names", "steers", b"\x1b[2J\nb\n", 1)
    put("names", "hidden", "a\u202eb\n\u200bc\n".encode(), 1)
    for i, text in enumerate((b"plain", "\x1b[2J\u009b\u202e\u2066\ufeff\U000e0041".encode(), b"\xff\xc3(\xed\xa0\x80\xf4\x90\x80\x80",
                              "日本語 café \U0001f600 e\u0301".encode(), b'"\\<&>\t\n', b"-1.5e-310", b"nan,5")):
        put("text", f"{i}", text, 5 * i)


for write in (arrays, pictures, weights, tables, texts):
    write()
