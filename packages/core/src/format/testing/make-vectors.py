"""Writes vectors.json: what docs/format.md says, done a second time and in another language.

Nothing here shares code with bkp. Run it after a change of the format, and never to make a test pass:
    python3 make-vectors.py > vectors.json          (needs the package `cryptography`, 44 or newer)
"""
import hashlib
import hmac
import json
import struct
import unicodedata

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

MASTER = bytes(range(32))
REPOSITORY = bytes(range(0x10, 0x20))
CREATED = "2026-11-23T18:46:00.000Z"
PASSPHRASE = "Gr\u00fc\u00dfe, cafe\u0301"  # the last letter decomposed: readers normalise
CODE = bytes((7 * n + 3) % 256 for n in range(20))
OBJECT_KEY = bytes(range(0x40, 0x60))
WRAP_NONCE = bytes(range(0x60, 0x6C))
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def hkdf(ikm, salt, info, length):
    prk = hmac.new(salt or bytes(32), ikm, hashlib.sha256).digest()
    out, block, n = b"", b"", 1
    while len(out) < length:
        block = hmac.new(prk, block + info + bytes([n]), hashlib.sha256).digest()
        out, n = out + block, n + 1
    return out[:length]


def subkey(purpose):
    return hkdf(MASTER, REPOSITORY, b"bkp/v1/" + purpose, 32)


def base32(data, symbols):
    bits = "".join(f"{byte:08b}" for byte in data)
    return "".join(CROCKFORD[int(bits[n * 5 : n * 5 + 5], 2)] for n in range(symbols))


def descriptor():
    lists = ("r1,r2", "", "c")
    text = "".join(line + "\n" for line in ("bkp-descriptor", "1", REPOSITORY.hex(), CREATED, *lists))
    mac = hmac.new(subkey(b"descriptor"), text.encode(), hashlib.sha256).hexdigest()
    features = {"read": ["r1", "r2"], "write": [], "check": ["c"]}
    return {"magic": "bkp", "format": 1, "repository": REPOSITORY.hex(), "created": CREATED, "features": features, "mac": mac}


def slot(kind, kdf, key):
    nonce = bytes(range(0x80, 0x8C))
    wrapped = AESGCM(key).encrypt(nonce, MASTER, b"bkp/v1/slot" + REPOSITORY + kind.encode())
    return {
        "slot": 1, "repository": REPOSITORY.hex(), "kind": kind, "created": CREATED, "label": kind,
        "kdf": kdf, "nonce": nonce.hex(), "wrapped": wrapped.hex(),
    }


def passphrase_slot():
    salt = bytes(range(0x20, 0x30))
    kdf = {"name": "argon2id", "memoryKiB": 1024, "passes": 2, "lanes": 2, "salt": salt.hex()}
    secret = unicodedata.normalize("NFC", PASSPHRASE).encode()
    key = Argon2id(salt=salt, length=32, iterations=2, lanes=2, memory_cost=1024).derive(secret)
    return slot("passphrase", kdf, key)


def recovery_slot():
    salt = bytes(range(0x30, 0x50))
    return slot("recovery", {"name": "hkdf-sha256", "salt": salt.hex()}, hkdf(CODE, salt, b"bkp/v1/recovery", 32))


def header(kind):
    start = b"bkp1" + bytes([kind, 1, 0, 0]) + REPOSITORY + b"aes-256-gcm".ljust(32, b"\0")
    wrapped = AESGCM(subkey(b"data" if kind == 1 else b"metadata")).encrypt(WRAP_NONCE, OBJECT_KEY, start)
    return start + WRAP_NONCE + wrapped + bytes(12)


def seal(start, position, plain):
    place = struct.pack("<Q", position)
    return AESGCM(OBJECT_KEY).encrypt(place + bytes(4), plain, start[:56] + place)


def compressions(*ids):
    return bytes([len(ids)]) + b"".join(bytes([len(i)]) + i for i in ids)


def row(blob_id, offset, sealed, plain, compression, kind):
    return blob_id + struct.pack("<IIIBBH", offset, sealed, plain, compression, kind, 0)


def pack():
    blobs = [(bytes([1]) * 32, b"hello", 0), (bytes([2]) * 32, b"a second blob", 0)]
    out, rows = header(1), b""
    for blob_id, plain, kind in blobs:
        sealed = seal(out, len(out), plain)
        rows += row(blob_id, len(out), len(sealed), len(plain), 0, kind)
        out += sealed
    at = len(out)
    directory = seal(out, at, compressions(b"none", b"zstd") + rows)
    out += directory
    length = len(out) + 32
    e = length.bit_length() - 1
    step = 1 << (e - (e.bit_length()))
    padding = -length % step
    trailer = seal(out, 2**64 - 1, struct.pack("<QII", at, len(directory), len(blobs)))
    return {"bytes": (out + bytes(padding) + trailer).hex(), "rows": rows.hex(), "blobs": [b[1].hex() for b in blobs]}


def index():
    first = row(bytes([1]) * 32, 128, 100, 90, 0, 0) + row(bytes([2]) * 32, 228, 50, 300, 1, 0)
    second = row(bytes([3]) * 32, 128, 70, 400, 2, 1)
    entry = lambda name, size, kind, rows: name * 32 + struct.pack("<IBBBBI", size, kind, 0, 0, 0, len(rows) // 48) + rows
    packs = entry(b"\xaa", 1024, 1, first) + entry(b"\xbb", 512, 2, second)
    return (compressions(b"none", b"zstd", b"deflate") + struct.pack("<I", 2) + packs).hex()


def field(tag, value):
    return struct.pack("<BI", tag, len(value)) + value


def entry(kind, flags, name, mode, uid, gid, mtime, ctime, size, inode, fields=b""):
    fixed = struct.pack("<BBHIIIqIqIQQ", kind, flags, len(name), mode, uid, gid, *mtime, *ctime, size, inode)
    return struct.pack("<I", len(fixed + name + fields)) + fixed + name + fields


def tree():
    mtime, ctime = (1_700_000_000, 123_456_789), (1_700_000_001, 999_999_999)
    xattrs = b"".join(struct.pack("<H", len(n)) + n + struct.pack("<I", len(v)) + v for n, v in [(b"user.a", b"\0\1"), (b"user.b", b"")])
    entries = [
        entry(1, 1, b"\xff\xfe not UTF-8", 0o4755, 1000, 4294967294, mtime, ctime, 5_000_000_000, 2**64 - 1,
              field(1, "ann".encode()) + field(2, "caf\u00e9".encode()) + field(3, xattrs)
              + field(6, b"\0" + bytes([7]) * 32 + bytes([8]) * 32)
              + field(7, struct.pack("<QQQQ", 4096, 8192, 2**33, 1)) + field(10, struct.pack("<QQ", 2**63 + 1, 3))),
        entry(2, 0, b"directory", 0o755, 0, 0, (-1, 999_999_999), (-2**33, 0), 0, 2, field(8, bytes([9]) * 32)),
        entry(3, 0, b"link", 0o777, 0, 0, mtime, ctime, 0, 3, field(4, b"../target")),
        entry(5, 0, b"null", 0o666, 0, 0, mtime, ctime, 0, 4, field(5, struct.pack("<II", 1, 3))),
        entry(8, 0, b"unreadable", 0, 0, 0, (0, 0), (0, 0), 0, 0, field(9, b"EACCES: permission denied")),
    ]
    entries.sort(key=lambda e: e[60 : 60 + struct.unpack_from("<H", e, 6)[0]])
    return (struct.pack("<II", 0x31455254, len(entries)) + b"".join(entries)).hex()


code = base32(CODE, 32) + base32(hashlib.sha256(b"bkp/v1/recovery-check" + CODE).digest(), 4)
session = header(5)
snapshot = {
    "version": 1, "time": "2026-11-23T18:46:00.123456789Z", "finished": "2026-11-23T18:47:00.000Z", "hostname": "nas",
    "username": "root", "program": "another 1.0", "source": "fs", "paths": [{"text": "/home/\ufffd", "base64": "L2hvbWUv/w=="}],
    "tags": ["weekly"], "excludes": ["*.tmp"], "tree": ["05" * 32], "parent": None, "stats": {"files": 1, "errors": 0},
    "issues": [], "later": "members of later versions are ignored",
}
print(json.dumps({
    "masterKey": MASTER.hex(), "repository": REPOSITORY.hex(), "passphrase": PASSPHRASE,
    "keys": {name: subkey(purpose).hex() for name, purpose in [
        ("descriptor", b"descriptor"), ("blobId", b"blob-id"), ("chunker", b"chunker"), ("data", b"data"), ("metadata", b"metadata")]},
    "gear": hkdf(subkey(b"chunker"), b"", b"bkp/v1/gear", 1024).hex(),
    "descriptor": descriptor(), "passphraseSlot": passphrase_slot(), "recoverySlot": recovery_slot(),
    "recovery": {"bytes": CODE.hex(), "code": "-".join(code[n : n + 4] for n in range(0, 36, 4))},
    "objectKey": OBJECT_KEY.hex(),
    "object": (session + seal(session, 128, b'{"version":1}')).hex(),
    "pack": pack(), "index": index(), "tree": tree(), "snapshot": snapshot,
}, indent=2))
