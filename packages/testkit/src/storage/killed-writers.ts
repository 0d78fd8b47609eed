import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { isPortError, type Storage } from '@bkp/plugin-api'
import { describe, expect, it } from 'vitest'
import { randomLikeBytes } from '../support/samples.js'
import type { StorageProcess, StorageUnderTest } from './describe-storage.js'
import { expectBytes, expectListed, expectStored, listed } from './observations.js'
import type { WriterOrder } from './writer-process.js'

const sizeBytes = 6 * 1_048_576
const delaysMs = [0, 2, 5, 15, 40]
const program = fileURLToPath(new URL('./writer-process.js', import.meta.url))

export function describeKilledWriters({ withStorage }: StorageUnderTest): void {
  describe('a process that is killed while it puts', () => {
    it('leaves whole objects or none, and the next one goes on', () =>
      withStorage(async (storage, { reopen, process }) => {
        const present = new Set<string>()
        for (const [round, delayMs] of delaysMs.entries()) {
          const keys = [0, 1, 2].map((n) => `packs/a${round}/object-${round}-${n}`)
          const bytes = randomLikeBytes(sizeBytes, round + 1)
          const stored = await writeAndKill(process, { keys, sizeBytes, seed: round + 1 }, delayMs)
          const later = await reopen()
          for (const key of keys) {
            const found = await find(later, key)
            if (found !== undefined) expectBytes(found, bytes)
            // What a put has resolved for is there for ever.
            if (stored.includes(key)) expect(found).toBeDefined()
            if (found !== undefined) present.add(key)
          }
          await later.put(keys[2] ?? '', bytes)
          await expectStored(later, keys[2] ?? '', bytes)
          present.add(keys[2] ?? '')
        }
        await expectListed(
          storage,
          '',
          [...present].map((key) => ({ key, sizeBytes })),
        )
      }))

    it('leaves the old object or the new one where it replaced', () =>
      withStorage(async (storage, { reopen, process }) => {
        const old = randomLikeBytes(1000, 99)
        for (const [round, delayMs] of delaysMs.entries()) {
          await storage.put('sessions/one', old)
          await writeAndKill(process, { keys: ['sessions/one'], sizeBytes, seed: round + 1 }, delayMs)
          const found = await (await reopen()).get('sessions/one')
          expectBytes(found, found.length === old.length ? old : randomLikeBytes(sizeBytes, round + 1))
        }
        expect((await listed(storage, '')).map(({ key }) => key)).toEqual(['sessions/one'])
      }))
  })
}

/** Kills the writer some time after its first put began. @returns the keys that it reported as stored */
async function writeAndKill(
  storageProcess: StorageProcess | undefined,
  order: Pick<WriterOrder, 'keys' | 'sizeBytes' | 'seed'>,
  delayMs: number,
): Promise<readonly string[]> {
  if (storageProcess === undefined) throw new Error('the fixture does not say how another process opens it')
  const whole: WriterOrder = { ...storageProcess, entry: storageProcess.entry.href, ...order }
  const child = spawn(process.execPath, [program, JSON.stringify(whole)])
  const ended = once(child, 'close')
  let said = ''
  let complaints = ''
  const begun = new Promise<void>((resolve) => {
    child.stdout.on('data', (text) => {
      said += text
      if (said.includes('begins ')) resolve()
    })
  })
  child.stderr.on('data', (text) => {
    complaints += text
  })
  await Promise.race([begun, ended])
  await sleep(delayMs)
  child.kill('SIGKILL')
  await ended
  expect(complaints).toBe('')
  expect(said).toContain('begins ')
  return [...said.matchAll(/^stored (.*)$/gm)].map(([, key]) => key ?? '')
}

async function find(storage: Storage, key: string): Promise<Uint8Array | undefined> {
  try {
    return await storage.get(key)
  } catch (error) {
    if (isPortError(error, 'not-found')) return undefined
    throw error
  }
}
