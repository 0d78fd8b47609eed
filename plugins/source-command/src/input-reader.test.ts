import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { closeSync, constants, openSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FileReader } from '@bkp/plugin-api'
import { expectPortError, textLikeBytes } from '@bkp/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openInput } from './input-reader.js'

let folder = ''
const started: ChildProcess[] = []
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bkp-stdin-'))
})
afterEach(async () => {
  for (const child of started.splice(0)) child.kill('SIGKILL')
  await rm(folder, { recursive: true })
})

/** The reading end of a pipe into which a shell writes. */
function pipeFrom(script: string): number {
  const pipe = join(folder, 'pipe')
  execFileSync('mkfifo', [pipe])
  started.push(spawn('/bin/sh', ['-c', `(${script}) > '${pipe}'`], { stdio: 'ignore' }))
  return openSync(pipe, constants.O_RDONLY)
}

async function readAll(reader: FileReader): Promise<Buffer> {
  const pieces: Buffer[] = []
  for (;;) {
    const into = Buffer.alloc(100_000)
    const count = await reader.read(into)
    if (count === 0) return Buffer.concat(pieces)
    pieces.push(into.subarray(0, count))
  }
}

describe('an input', () => {
  it('is read from a pipe to its end', async () => {
    const content = textLikeBytes(2_000_000)
    writeFileSync(join(folder, 'content'), content)
    const reader = openInput(pipeFrom(`cat '${join(folder, 'content')}'`))
    expect(Buffer.compare(await readAll(reader), content)).toBe(0)
    expect(await reader.close()).toBe('stable')
  })

  it('is waited for when the pipe has nothing yet', async () => {
    const reader = openInput(pipeFrom('printf one; sleep 0.2; printf two'))
    expect((await readAll(reader)).toString()).toBe('onetwo')
  })

  it('leaves the thread free while it waits for the pipe', async () => {
    const reader = openInput(pipeFrom('sleep 3'))
    const reading = Promise.resolve(reader.read(new Uint8Array(10)))
    const winner = await Promise.race([reading, new Promise((resolve) => setTimeout(resolve, 50, 'free'))])
    expect(winner).toBe('free')
    expect(await reader.close()).toBe('changed')
    await expect(reading).rejects.toThrow()
  })

  it('may be an empty pipe', async () => {
    const reader = openInput(pipeFrom('true'))
    expect((await readAll(reader)).length).toBe(0)
    expect(await reader.close()).toBe('stable')
  })

  it('is read from a file, and is not the whole when closed before its end', async () => {
    const file = join(folder, 'file')
    writeFileSync(file, textLikeBytes(300_000))
    const descriptor = openSync(file, 'r')
    try {
      const reader = openInput(descriptor)
      expect(await reader.read(new Uint8Array(10))).toBe(10)
      expect(await reader.close()).toBe('changed')
      expect((await readAll(reader)).length).toBe(299_990)
      expect(await reader.close()).toBe('stable')
    } finally {
      closeSync(descriptor)
    }
  })

  it('is a matter of configuration when it is not open', () => {
    expectPortError('config', () => openInput(987_654))
  })
})
