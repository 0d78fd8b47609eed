import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { isPortError, type Storage } from '@bkp/plugin-api'
import { describe, expect, it } from 'vitest'
import type { StorageProcess, StorageUnderTest } from './describe-storage.js'
import { expectBytes, expectListed, expectStored, listed } from './observations.js'
import { textOfOrder, type WriterOrder } from './writer-order.js'

// Large, so that the kill comes in the middle: a fast disk takes some tens of milliseconds for it.
const largeBytes = 48 * 1_048_576
const smallBytes = 1000
const delaysMs = [0, 2, 4, 8, 12, 20, 40]
const program = fileURLToPath(new URL('./writer-process.js', import.meta.url))

const filled = (sizeBytes: number, filledWith: number) => new Uint8Array(sizeBytes).fill(filledWith)

export function describeKilledWriters({ withStorage }: StorageUnderTest): void {
  describe('a process that is killed while it puts', () => {
    it('leaves the object whole or none, keeps what it had stored before, and the next one goes on', () =>
      withStorage(async (storage, { reopen, process }) => {
        const present = new Map<string, number>()
        for (const [round, delayMs] of delaysMs.entries()) {
          const [before, last] = [`index/${round}`, `packs/a${round}/object`]
          await writeAndKill(process, delayMs, [
            { key: before, sizeBytes: smallBytes, filledWith: 7 },
            { key: last, sizeBytes: largeBytes, filledWith: 8 },
          ])
          const later = await reopen()
          expectBytes(await later.get(before), filled(smallBytes, 7))
          present.set(before, smallBytes)
          const found = await find(later, last)
          if (found !== undefined) expectBytes(found, filled(largeBytes, 8))
          if (found !== undefined) present.set(last, largeBytes)
          await expectListed(
            later,
            '',
            [...present].map(([key, sizeBytes]) => ({ key, sizeBytes })),
          )
        }
        const again = 'packs/a0/object'
        await storage.put(again, filled(smallBytes, 9))
        await expectStored(storage, again, filled(smallBytes, 9))
      }))

    it('leaves the old object or the new one where it replaced', () =>
      withStorage(async (storage, { reopen, process }) => {
        const key = 'sessions/one'
        for (const delayMs of delaysMs) {
          await storage.put(key, filled(smallBytes, 7))
          await writeAndKill(process, delayMs, [{ key, sizeBytes: largeBytes, filledWith: 8 }])
          const found = await (await reopen()).get(key)
          expectBytes(found, found.length === smallBytes ? filled(smallBytes, 7) : filled(largeBytes, 8))
        }
        expect((await listed(storage, '')).map((object) => object.key)).toEqual([key])
      }))
  })
}

/** Kills the writer some time after the put of the last object began. */
async function writeAndKill(
  storageProcess: StorageProcess | undefined,
  delayMs: number,
  objects: WriterOrder['objects'],
): Promise<void> {
  if (storageProcess === undefined) throw new Error('the fixture does not say how another process opens it')
  const order: WriterOrder = { ...storageProcess, entry: storageProcess.entry.href, objects }
  const child = spawn(process.execPath, [program])
  const ended = once(child, 'close')
  const lastBegins = `begins ${objects.at(-1)?.key}\n`
  let said = ''
  let complaints = ''
  const begun = new Promise<void>((resolve) => {
    child.stdout.on('data', (text) => {
      said += text
      if (said.includes(lastBegins)) resolve()
    })
  })
  child.stderr.on('data', (text) => {
    complaints += text
  })
  child.stdin.on('error', (error) => {
    complaints += error.message
  })
  child.stdin.end(textOfOrder(order))
  await Promise.race([begun, ended])
  if (delayMs > 0) await sleep(delayMs)
  child.kill('SIGKILL')
  await ended
  expect(complaints).toBe('')
  expect(said).toContain(lastBegins)
}

async function find(storage: Storage, key: string): Promise<Uint8Array | undefined> {
  try {
    return await storage.get(key)
  } catch (error) {
    if (isPortError(error, 'not-found')) return undefined
    throw error
  }
}
