import type { MessagePort } from 'node:worker_threads'
import { damaged, isBkpError } from '../../errors/index.js'
import { objectNameOf } from '../../format/ids.js'
import { readDirectory, readTrailer, trailerBytes } from '../../format/pack.js'
import { PartSealer, parseHeader, unwrapObjectKey } from '../../format/sealed-object.js'
import { createKeyedHasher } from '../../hash/keyed-hasher.js'
import { BlobDecoder } from '../../repository/blob-decoder.js'
import { ChunkTable } from '../../repository/chunk-table.js'
import { Codecs } from '../../repository/codecs.js'
import { allSettled } from '../worker/all-settled.js'
import type { Meter } from '../worker/call-meter.js'
import type { WorkerStart } from '../worker/pool.js'
import type { CheckSetup, FromCheckWorker, ToCheckWorker } from './protocol.js'

/** Verifies whole packs: name, header, trailer, directory, and every blob down to its plain bytes. */
export async function startCheckWorker(
  port: MessagePort,
  start: WorkerStart<CheckSetup>,
  { meter }: { readonly meter: Meter },
): Promise<void> {
  const { setup } = start
  const [codecs, hasher] = await allSettled([
    Codecs.load(setup.codecs, meter.during),
    createKeyedHasher(setup.keys.blobId),
  ])
  const table = ChunkTable.attach(setup.table)
  const id = new Uint32Array(8)
  const found = new Uint32Array(8)
  const foundBytes = new Uint8Array(found.buffer)
  const decoder = new BlobDecoder(codecs)

  const check = ({ pack, name, bytes }: ToCheckWorker): FromCheckWorker => {
    const faults: string[] = []
    const bad: number[] = []
    let blobs = 0
    const guard = (what: string, action: () => void): boolean => {
      try {
        action()
        return true
      } catch (error) {
        if (!isBkpError(error, 'damaged')) throw error
        if (faults.length < maxFaults) faults.push(`${what}${error.message}`)
        return false
      }
    }
    if (objectNameOf(bytes) !== name) faults.push('its bytes do not have the SHA-256 that is its name')
    guard('', () => {
      const header = parseHeader(bytes, setup.repositoryId)
      const isMetadata = header.kind === 'metadata-pack'
      const key = unwrapObjectKey(bytes, isMetadata ? setup.keys.metadata : setup.keys.data)
      const sealer = new PartSealer(codecs.cipher(header.cipherId), key, bytes)
      const trailer = readTrailer(
        sealer,
        bytes.subarray(bytes.length - trailerBytes(sealer.overheadBytes)),
        bytes.length,
      )
      const sealed = bytes.subarray(trailer.offset, trailer.offset + trailer.length)
      const { compressionIds, rows } = readDirectory(sealer, sealed, trailer, isMetadata)
      const numbers = compressionIds.map((compressionId) =>
        setup.codecs.compressions.findIndex((codec) => codec.id === compressionId),
      )
      for (let row = 0; row < rows.count; row++) {
        blobs++
        const isSound = guard(`blob ${row}: `, () => {
          const output = decoder.decode(
            bytes,
            sealer,
            rows.offset(row),
            rows.sealedLength(row),
            rows.plainLength(row),
            numbers[rows.compression(row)] as number,
          )
          hasher.digest(rows.type(row), output, foundBytes, 0)
          rows.copyId(row, id)
          if (!found.every((word, n) => word === id[n])) throw damaged('its bytes are not what its id says')
        })
        rows.copyId(row, id)
        const entry = table.find(id)
        if (entry >= 0 && table.packOf(entry) === pack) {
          const isAsIndexed =
            table.offsetOf(entry) === rows.offset(row) && table.sealedLengthOf(entry) === rows.sealedLength(row)
          if (!isAsIndexed) faults.push(`blob ${row}: the index gives it another place`)
          if (!isSound || !isAsIndexed) bad.push(entry)
        }
      }
    })
    return { kind: 'checked', pack, blobs, bytes: bytes.length, faults, badEntries: Uint32Array.from(bad) }
  }
  port.on('message', (message: ToCheckWorker) => port.postMessage(check(message)))
}

const maxFaults = 10
