// One step of the scale benchmark, in a process of its own so that its memory can be measured: `files N REPOSITORY` backs
// up a made-up tree, `index CHUNKS REPOSITORY` writes an index of chunks that do not exist.
import { randomFillSync } from 'node:crypto'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createEngine } from '@bkp/core'
import { Secret } from '@bkp/plugin-api'
import { indexKey, objectNameOf } from '../../packages/core/dist/format/ids.js'
import { encodeIndexSegment } from '../../packages/core/dist/format/index-segment.js'
import { sealObject } from '../../packages/core/dist/format/sealed-object.js'
import { openRepository } from '../../packages/core/dist/repository/opened-repository.js'
import aesGcm from '../../plugins/cipher-aes-gcm/dist/index.js'
import { openLocalStorage } from '../../plugins/storage-local/dist/local-storage.js'

const here = dirname(fileURLToPath(import.meta.url))
const plugins = join(here, '../../plugins')
const bundled = ['storage-local', 'codec-zstd', 'codec-deflate', 'cipher-aes-gcm', 'cipher-xchacha20']
const [what, amount, repositoryPath] = process.argv.slice(2)
const count = Number(amount)
const destinations = [{ name: repositoryPath, url: repositoryPath }]
const passphrase = new Secret('bench')
const unlock = { kind: 'passphrase', passphrase }
const engine = await createEngine({
  pluginDirectories: [join(here, 'synthetic-source')],
  bundledPluginDirectories: bundled.map((name) => join(plugins, name)),
})

if (what === 'files') {
  await engine.createRepository(destinations, passphrase)
  const repository = await engine.openRepository(destinations, unlock)
  const { stats } = await repository.backup({
    source: { id: 'synthetic', configuration: { files: count } },
    paths: [Buffer.from('/made-up')],
    tags: [],
    excludes: [],
    excludeCaches: false,
    oneFileSystem: false,
    force: false,
    dryRun: false,
    hostname: 'bench',
    username: 'bench',
    program: 'bench',
    compression: { id: 'none', configuration: {} },
    cipher: 'aes-256-gcm',
  })
  await repository.close()
  if (stats.files !== count) throw new Error(`${stats.files} of ${count} files were backed up`)
} else {
  await engine.createRepository(destinations, passphrase)
  await writeIndex()
}
await engine.close()

/** Rows as they would be for small files: 16 KiB each, a thousand to a pack, 200,000 to a segment. */
async function writeIndex() {
  const blobsPerPack = 1000
  const packsPerSegment = 200
  const sealedBytes = 16 * 1024
  const headerBytes = 4096
  const storage = await openLocalStorage({
    url: repositoryPath,
    intent: 'open',
    configuration: {},
    path: repositoryPath,
  })
  const { id, keys } = await openRepository(repositoryPath, storage, unlock)
  const cipher = { module: aesGcm, cipher: aesGcm.create({}) }
  for (let written = 0; written < count; ) {
    const packs = []
    for (let n = 0; n < packsPerSegment && written < count; n++) {
      const blobs = Math.min(blobsPerPack, count - written)
      const rows = new Uint8Array(blobs * 48)
      randomFillSync(rows)
      const view = new DataView(rows.buffer)
      for (let row = 0; row < blobs; row++) {
        view.setUint32(row * 48 + 32, headerBytes + row * sealedBytes, true)
        view.setUint32(row * 48 + 36, sealedBytes, true)
        view.setUint32(row * 48 + 40, sealedBytes * 2, true)
        view.setUint32(row * 48 + 44, 1, true)
      }
      const name = Buffer.from(randomFillSync(new Uint8Array(32))).toString('hex')
      const sizeBytes = headerBytes + blobs * sealedBytes + 64 * 1024
      packs.push({ name, sizeBytes, kind: 'data', compressionIds: ['none', 'zstd'], rows })
      written += blobs
    }
    const bytes = sealObject('index', id, keys.metadata, cipher, encodeIndexSegment(packs))
    await storage.put(indexKey(objectNameOf(bytes)), bytes)
  }
  await storage.close()
}
