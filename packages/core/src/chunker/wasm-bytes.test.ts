import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const run = promisify(execFile)
const script = fileURLToPath(new URL('../../scripts/build-wasm.mjs', import.meta.url))

it('holds what the AssemblyScript source compiles to', async () => {
  const { stdout } = await run(process.execPath, [script, '--check'])
  expect(stdout).toBe('src/chunker/wasm-bytes.ts is up to date\n')
})
