import { setFlagsFromString } from 'node:v8'
import { beforeEach, expect, it, vi } from 'vitest'

vi.mock('node:v8', () => ({ setFlagsFromString: vi.fn() }))
const given = () => vi.mocked(setFlagsFromString).mock.calls.flat()
let flags: typeof import('./v8-flags.js')

beforeEach(async () => {
  vi.mocked(setFlagsFromString).mockClear()
  vi.resetModules()
  flags = await import('./v8-flags.js')
})

it.each([
  ['keepInterruptible', '24.1.0', ['--no-turboshaft-loop-unrolling']],
  ['keepInterruptible', '26.10.0', ['--no-turboshaft-loop-unrolling']],
  ['keepInterruptible', '22.15.0', []],
  ['compileLess', '20.19.0', ['--interrupt-budget=264000', '--max-inlined-bytecode-size-cumulative=300']],
  ['compileLess', '22.15.0', []],
  ['compileLess', '27.0.0', []],
] as const)('%s of Node %s gives V8 only what it knows', (name, version, expected) => {
  flags[name](version)
  expect(given()).toEqual(expected)
})

it('gives each flag once', () => {
  flags.collectAtOnce()
  flags.collectAtOnce()
  expect(given()).toEqual(['--no-incremental-marking'])
})
