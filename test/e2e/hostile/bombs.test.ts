import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type BlobLie, type ForgedRepository, Forger } from '../../support/forged-repository.js'
import { type CheckReport, type RestoreReport, reportOf } from '../../support/outcomes.js'
import { bkp, type Ran } from '../../support/run-bkp.js'

const work = mkdtempSync(join(tmpdir(), 'bkp-hostile-bombs-'))
const MiB = 1024 * 1024
const bombBytes = 10 * 1024 * MiB
/** What a command on a small repository takes anyway, and some blobs of 16 MiB. */
const mostMemoryMiB = 420
const mostTimeMs = 10_000
let forger: Forger
let last = 0

beforeAll(async () => {
  forger = await Forger.create(join(work, 'template'))
})
afterAll(() => rmSync(work, { recursive: true, force: true }))

/** One frame of runs of 128 KiB, four bytes each (RFC 8878, section 3.1.1.2). */
function zstdBomb(header: Buffer): Buffer {
  const blocks = bombBytes / (128 * 1024)
  const bytes = Buffer.alloc(blocks * 4)
  for (let block = 0; block < blocks; block++) {
    const isLast = block === blocks - 1 ? 1 : 0
    bytes.writeUIntLE(isLast | (1 << 1) | ((128 * 1024) << 3), block * 4, 3)
  }
  return Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), header, bytes])
}

const windowOfMiB = Buffer.from([0b0000_0000, 0x50])
const contentSize = (bytes: number) => {
  const header = Buffer.alloc(10)
  header[0] = 0b1100_0000
  header[1] = 0x50
  header.writeBigUInt64LE(BigInt(bytes), 2)
  return header
}

function deflateBomb(): Buffer {
  const piece = deflateRawSync(Buffer.alloc(16 * MiB), { finishFlush: constants.Z_FULL_FLUSH, level: 9 })
  return Buffer.concat([...Array.from({ length: bombBytes / (16 * MiB) }, () => piece), Buffer.from([3, 0])])
}

const bombs: Readonly<Record<string, () => BlobLie>> = {
  'zstd, which does not say its size': () => ({ compression: 'zstd', payload: zstdBomb(windowOfMiB) }),
  'zstd, which says 10 GiB': () => ({ compression: 'zstd', payload: zstdBomb(contentSize(bombBytes)) }),
  'zstd, which says 16 MiB': () => ({ compression: 'zstd', payload: zstdBomb(contentSize(16 * MiB)) }),
  'zstd with a window of 2 GiB': () => ({ compression: 'zstd', payload: zstdBomb(Buffer.from([0, 0xa8])) }),
  deflate: () => ({ compression: 'deflate', payload: deflateBomb() }),
}

/** Runs a command and says how much memory it took at most, all threads together. */
async function measured(
  args: readonly string[],
): Promise<Ran & { readonly peakMiB: number; readonly elapsedMs: number }> {
  const report = join(work, `peak-${++last}`)
  // At its end the process itself notes the most that it took, in KiB.
  const note = `import fs from 'node:fs'; process.on('exit', () => fs.writeFileSync(process.env.BKP_TEST_PEAK, String(process.resourceUsage().maxRSS)))`
  const env = { BKP_TEST_PEAK: report, NODE_OPTIONS: `--import "data:text/javascript,${encodeURIComponent(note)}"` }
  const started = performance.now()
  const ran = await bkp(args, { env })
  return { ...ran, elapsedMs: performance.now() - started, peakMiB: Number(readFileSync(report, 'utf8')) / 1024 }
}

function expectBounded({ peakMiB, elapsedMs }: { readonly peakMiB: number; readonly elapsedMs: number }): void {
  expect(peakMiB).toBeGreaterThan(30)
  expect(peakMiB).toBeLessThan(mostMemoryMiB)
  expect(elapsedMs).toBeLessThan(mostTimeMs)
}

async function restoreAndCheck(forged: ForgedRepository): Promise<{ restored: RestoreReport; checked: CheckReport }> {
  const from = ['--from', forged.directory, '--json']
  const [restoring, checking] = await Promise.all([
    measured(['restore', 'latest', '--target', `${forged.directory}-target`, ...from]),
    measured(['check', '--read-data', ...from]),
  ])
  expectBounded(restoring)
  expectBounded(checking)
  return { restored: reportOf(restoring, 13), checked: reportOf(checking, 13) }
}

describe('10 GiB in one blob', () => {
  it('is a stream that zlib takes, and stops at what it may give', () => {
    expect(() => inflateRawSync(deflateBomb(), { maxOutputLength: 32 * MiB })).toThrow(
      'Cannot create a Buffer larger than',
    )
  })

  it.each(Object.entries(bombs))('of %s, as a chunk: is refused in bounded memory and time', async (name, bomb) => {
    const forged = forger.repository(join(work, `data ${name}`))
    const lie = { ...bomb(), plainLength: 16 * MiB }
    const id = forged.data('what it should be', lie)
    forged.commit([
      { name: 'bomb', sizeBytes: BigInt(16 * MiB), content: { depth: 0, ids: [id] } },
      forged.file('sound', 'sound'),
    ])
    const { restored, checked } = await restoreAndCheck(forged)
    expect(restored.issues).toMatchObject([{ kind: 'damaged', path: '/bomb' }])
    expect(readFileSync(join(`${forged.directory}-target`, 'sound'), 'utf8')).toBe('sound')
    expect(existsSync(join(`${forged.directory}-target`, 'bomb'))).toBe(false)
    expect(checked.damages.flatMap(({ affects }) => affects)).toContainEqual(expect.objectContaining({ path: '/bomb' }))
  })

  it.each(['zstd, which does not say its size', 'deflate'])('of %s, as a tree: is refused', async (name) => {
    const forged = forger.repository(join(work, `tree ${name}`))
    const tree = forged.tree([], { ...bombs[name]?.(), plainLength: 16 * MiB })
    forged.commit([
      { kind: 'directory', name: 'bomb', tree: [tree] },
      forged.directoryOf('sound', [forged.file('x', 'x')]),
    ])
    const { restored, checked } = await restoreAndCheck(forged)
    expect(restored.issues).toMatchObject([{ kind: 'damaged', path: '/bomb' }])
    expect(checked.damages.flatMap(({ affects }) => affects)).toContainEqual(expect.objectContaining({ path: '/bomb' }))
  })
})

describe('a file of 2⁵² chunks in two small lists', () => {
  it('is refused in bounded memory and time, and its neighbour restored', async () => {
    const forged = forger.repository(join(work, 'lists'))
    const chunk = forged.data('x')
    const inner = forged.list(Array.from({ length: 2 ** 16 }, () => chunk))
    const outer = forged.list(Array.from({ length: 2 ** 16 }, () => inner))
    const top = forged.list(Array.from({ length: 2 ** 16 }, () => outer))
    const bomb = (name: string, sizeBytes: bigint) => ({
      name,
      sizeBytes,
      content: { depth: 3, ids: Array.from({ length: 16 }, () => top) },
    })
    forged.commit([bomb('honest', 2n ** 52n), bomb('lying', 5n), forged.file('sound', 'sound')])
    const { restored, checked } = await restoreAndCheck(forged)
    expect(restored.issues.map(({ path }) => path).sort()).toEqual(['/honest', '/lying'])
    expect(readFileSync(join(`${forged.directory}-target`, 'sound'), 'utf8')).toBe('sound')
    const lost = checked.damages.flatMap(({ affects }) => affects.map(({ path }) => path))
    expect(lost.sort()).toEqual(['/honest', '/lying'])
  })
})
