import { describe, expect, it } from 'vitest'
import { parseDescriptor, verifyDescriptor } from './descriptor.js'
import { decodeIndexSegment, encodeIndexSegment, type IndexPack } from './index-segment.js'
import { openSlot, parseSlot, secretOfPassphrase } from './key-slot.js'
import { readDirectory, readTrailer, trailerBytes } from './pack.js'
import { formatRecoveryCode, parseRecoveryCode } from './recovery-code.js'
import { headerBytes, openObject, PartSealer, parseHeader, unwrapObjectKey } from './sealed-object.js'
import { fromJsonBytes, parseSnapshot } from './snapshot.js'
import { deriveKeys, gearTable } from './subkeys.js'
import { aesGcm } from './testing/ciphers.js'
import { sourceEntry } from './testing/entries.js'
import { bytesOf, jsonBytes, vectors } from './testing/vectors.js'
import { TreeCursor } from './tree-cursor.js'
import { EntryEncoder, TreeWriter } from './tree-writer.js'

const hex = (bytes: Uint8Array | undefined) => (bytes === undefined ? undefined : Buffer.from(bytes).toString('hex'))
const keys = deriveKeys(bytesOf(vectors.masterKey), vectors.repository)
const cipherFor = () => aesGcm

describe('the format, as another program wrote it by docs/format.md', () => {
  it('derives the same subkeys', () => {
    expect(Object.fromEntries(Object.entries(keys).map(([name, key]) => [name, hex(key)]))).toEqual(vectors.keys)
  })

  it('derives the same gear table', () => {
    const table = gearTable(keys.chunker)
    expect(table).toHaveLength(256)
    expect(hex(new Uint8Array(table.buffer))).toBe(vectors.gear)
  })

  it('accepts the descriptor and its authentication code', () => {
    const descriptor = parseDescriptor(jsonBytes(vectors.descriptor))
    expect(descriptor).toMatchObject({ repository: vectors.repository, features: { read: ['r1', 'r2'], check: ['c'] } })
    expect(() => verifyDescriptor(descriptor, keys.descriptor)).not.toThrow()
  })

  it('opens the slot of a passphrase, in whichever way its letters are composed', async () => {
    const slot = parseSlot(jsonBytes(vectors.passphraseSlot))
    if (slot === undefined) throw new Error('the slot is of a known kind')
    expect(hex(await openSlot(slot, secretOfPassphrase(vectors.passphrase)))).toBe(vectors.masterKey)
    expect(hex(await openSlot(slot, secretOfPassphrase(vectors.passphrase.normalize('NFC'))))).toBe(vectors.masterKey)
  })

  it('opens the slot of a recovery code', async () => {
    const slot = parseSlot(jsonBytes(vectors.recoverySlot))
    if (slot === undefined) throw new Error('the slot is of a known kind')
    expect(hex(await openSlot(slot, parseRecoveryCode(vectors.recovery.code)))).toBe(vectors.masterKey)
  })

  it('writes and reads the recovery code in the same way', () => {
    expect(formatRecoveryCode(bytesOf(vectors.recovery.bytes))).toBe(vectors.recovery.code)
    expect(hex(parseRecoveryCode(vectors.recovery.code))).toBe(vectors.recovery.bytes)
  })

  it('opens a sealed object', () => {
    const object = bytesOf(vectors.object)
    expect(parseHeader(object, vectors.repository)).toEqual({ kind: 'session', cipherId: 'aes-256-gcm' })
    expect(hex(unwrapObjectKey(object.subarray(0, headerBytes), keys.metadata))).toBe(vectors.objectKey)
    const payload = openObject('session', vectors.repository, keys.metadata, cipherFor, object)
    expect(Buffer.from(payload).toString()).toBe('{"version":1}')
  })

  it('reads a pack from its end to its blobs', () => {
    const bytes = bytesOf(vectors.pack.bytes)
    const sealer = new PartSealer(aesGcm, unwrapObjectKey(bytes.subarray(0, headerBytes), keys.data), bytes)
    const trailer = readTrailer(sealer, bytes.subarray(-trailerBytes(sealer.overheadBytes)), bytes.length)
    const sealed = bytes.subarray(trailer.offset, trailer.offset + trailer.length)
    const { compressionIds, rows } = readDirectory(sealer, sealed, trailer, false)
    expect(compressionIds).toEqual(['none', 'zstd'])
    expect(hex(rows.bytes)).toBe(vectors.pack.rows)
    for (const [row, blob] of vectors.pack.blobs.entries()) {
      const plain = new Uint8Array(rows.plainLength(row))
      sealer.open(rows.offset(row), bytes.subarray(rows.offset(row), rows.offset(row) + rows.sealedLength(row)), plain)
      expect(hex(plain)).toBe(blob)
    }
  })

  it('reads an index segment and writes it back byte for byte', () => {
    const packs: IndexPack[] = []
    decodeIndexSegment(bytesOf(vectors.index), (pack) => packs.push({ ...pack, rows: pack.rows.bytes }))
    expect(packs.map(({ name, sizeBytes, kind }) => ({ name, sizeBytes, kind }))).toEqual([
      { name: 'aa'.repeat(32), sizeBytes: 1024, kind: 'data' },
      { name: 'bb'.repeat(32), sizeBytes: 512, kind: 'metadata' },
    ])
    expect(hex(encodeIndexSegment(packs))).toBe(vectors.index)
  })

  it('writes a tree of every kind of field byte for byte', () => {
    const encoder = new EntryEncoder()
    const times = { mtimeSeconds: 1_700_000_000, mtimeNanoseconds: 123_456_789, ctimeSeconds: 1_700_000_001 }
    const root = { ...times, ctimeNanoseconds: 999_999_999, uid: 0, gid: 0 }
    encoder.add(
      sourceEntry('directory', {
        kind: 'directory',
        mode: 0o755,
        uid: 0,
        gid: 0,
        mtimeSeconds: -1,
        mtimeNanoseconds: 999_999_999,
        ctimeSeconds: -(2 ** 33),
        ctimeNanoseconds: 0,
        inode: 2n,
        linkCount: 5,
      }),
      {},
      { tree: new Uint8Array(32).fill(9) },
    )
    encoder.add(
      sourceEntry('link', { ...root, kind: 'symlink', mode: 0o777, inode: 3n }),
      { linkTarget: Buffer.from('../target') },
      {},
    )
    encoder.add(
      sourceEntry('null', {
        ...root,
        kind: 'character-device',
        mode: 0o666,
        inode: 4n,
        deviceMajor: 1,
        deviceMinor: 3,
      }),
      {},
      {},
    )
    encoder.addError(Buffer.from('unreadable'), 'EACCES: permission denied')
    encoder.add(
      sourceEntry(Buffer.from('\xff\xfe not UTF-8', 'latin1'), {
        ...root,
        mode: 0o4755,
        uid: 1000,
        gid: 0xfffffffe,
        sizeBytes: 5_000_000_000,
        inode: 2n ** 64n - 1n,
        device: 2n ** 63n + 1n,
        linkCount: 3,
      }),
      {
        userName: 'ann',
        groupName: 'café',
        xattrs: [
          { name: Buffer.from('user.b'), value: new Uint8Array(0) },
          { name: Buffer.from('user.a'), value: Uint8Array.of(0, 1) },
        ],
      },
      {
        changed: true,
        ids: Buffer.concat([Buffer.alloc(32, 7), Buffer.alloc(32, 8)]),
        extents: [
          { offset: 4096, length: 8192 },
          { offset: 2 ** 33, length: 1 },
        ],
      },
    )
    expect(hex(blobOf(encoder.view()))).toBe(vectors.tree)
  })

  it('reads a tree of every kind of field', () => {
    const cursor = new TreeCursor(bytesOf(vectors.tree))
    const seen: unknown[] = []
    while (cursor.next()) {
      const { kind, mtimeSeconds, mtimeNanoseconds, ctimeSeconds } = cursor
      seen.push([kind, Buffer.from(cursor.name).toString('latin1'), mtimeSeconds, mtimeNanoseconds, ctimeSeconds])
    }
    expect(seen).toEqual([
      ['directory', 'directory', -1, 999_999_999, -(2 ** 33)],
      ['symlink', 'link', 1_700_000_000, 123_456_789, 1_700_000_001],
      ['character-device', 'null', 1_700_000_000, 123_456_789, 1_700_000_001],
      ['error', 'unreadable', 0, 0, 0],
      ['file', '\xff\xfe not UTF-8', 1_700_000_000, 123_456_789, 1_700_000_001],
    ])
    expect(cursor).toMatchObject({ mode: 0o4755, uid: 1000, gid: 0xfffffffe, sizeBytes: 5_000_000_000 })
    expect(cursor).toMatchObject({ inode: 2n ** 64n - 1n, changedWhileRead: true, userName: 'ann', groupName: 'café' })
    expect(cursor.hardLink).toEqual({ device: 2n ** 63n + 1n, links: 3 })
    expect(cursor.content?.depth).toBe(0)
    expect(hex(cursor.content?.ids)).toBe('07'.repeat(32) + '08'.repeat(32))
    expect(cursor.xattrs?.map(({ name, value }) => [Buffer.from(name).toString(), hex(value)])).toEqual([
      ['user.a', '0001'],
      ['user.b', ''],
    ])
    expect(cursor.extents).toEqual([
      { offset: 4096, length: 8192 },
      { offset: 2 ** 33, length: 1 },
    ])
  })

  it('reads a snapshot and ignores members that it does not know', () => {
    const snapshot = parseSnapshot(jsonBytes(vectors.snapshot))
    expect(snapshot).toMatchObject({ hostname: 'nas', tree: ['05'.repeat(32)], parent: null })
    expect(snapshot.paths.map((path) => hex(fromJsonBytes(path)))).toEqual([hex(Buffer.from('/home/\xff', 'latin1'))])
  })
})

function blobOf(entries: Uint8Array): Uint8Array {
  let blob = new Uint8Array(0)
  const writer = new TreeWriter((bytes) => {
    blob = bytes.slice()
  })
  const view = new DataView(entries.buffer, entries.byteOffset, entries.length)
  for (let at = 0; at < entries.length; ) {
    const end = at + 4 + view.getUint32(at, true)
    writer.add(entries.subarray(at, end))
    at = end
  }
  writer.finish(true)
  return blob
}
