import { describe, expect, it } from 'vitest'
import { FakeTerminal } from '../testing/fake-terminal.js'
import { issue } from '../testing/samples.js'
import { createProgress, destinationLine, type ProgressEvent, type ProgressMode, progressLine } from './progress.js'

const event: ProgressEvent = { kind: 'progress', filesDone: 2, bytesDone: 2048, storedBytes: 1024, errors: 0 }

const destinations = [
  { name: 'nas', storedBytes: 1024, queuedBytes: 2048, isLost: false },
  { name: 'disk', storedBytes: 0, queuedBytes: 0, isLost: true },
]

async function started(mode: ProgressMode, isTerminal = false) {
  const terminal = new FakeTerminal({}, isTerminal)
  const clock = { ms: 0 }
  const progress = await createProgress(terminal, mode, 'file', () => clock.ms)
  return { terminal, clock, progress }
}

describe('progress', () => {
  it('in a pipe is a plain line every 30 seconds at most, and none before', async () => {
    const { terminal, clock, progress } = await started('people')
    for (clock.ms = 0; clock.ms <= 90_000; clock.ms += 1_000) progress.onEvent(event)
    progress.stop()
    expect(terminal.stderr.text.trimEnd().split('\n')).toHaveLength(3)
    expect(terminal.stderr.text).not.toContain('\u001b')
    expect(terminal.stdout.text).toBe('')
  })

  it('on a terminal is one line that is drawn anew and gone in the end; issues stay', async () => {
    const { terminal, progress } = await started('people', true)
    Object.assign(terminal.stderr.stream, { isTTY: true, columns: 80, moveCursor() {}, cursorTo() {}, clearLine() {} })
    progress.onEvent({ ...event, current: '/home/\u001b[2Jann' })
    progress.onEvent({ kind: 'issue', issue })
    progress.stop()
    const shown = terminal.stderr.text
    expect(shown).toContain('unreadable: /home/ann/caf\ufffd: EACCES: permission denied\n')
    expect(shown).not.toContain('\u001b[2Jann')
  })

  it('of JSON is a line a second at most, on standard output', async () => {
    const { terminal, clock, progress } = await started('json')
    for (clock.ms = 0; clock.ms < 3_000; clock.ms += 100) progress.onEvent(event)
    progress.onEvent({ kind: 'issue', issue })
    expect(terminal.stdout.text.trimEnd().split('\n')).toHaveLength(3)
    expect(terminal.stderr.text).toBe('')
  })

  it('on a terminal has a line for each of several destinations', async () => {
    const { terminal, clock, progress } = await started('people', true)
    Object.assign(terminal.stderr.stream, { isTTY: true, columns: 80, moveCursor() {}, cursorTo() {}, clearLine() {} })
    clock.ms = 1_000
    progress.onEvent({ kind: 'destinations', destinations })
    progress.onEvent(event)
    progress.stop()
    expect(terminal.stderr.text).toContain('nas  1 KiB stored  1 KiB/s  2 KiB waiting')
    expect(terminal.stderr.text).toContain('disk  takes no further part')
  })

  it('of JSON says how far each of several destinations is', async () => {
    const { terminal, progress } = await started('json')
    progress.onEvent({ kind: 'destinations', destinations })
    progress.onEvent(event)
    expect(JSON.parse(terminal.stdout.text)).toMatchObject({ destinations })
  })

  it('names a destination that takes no further part', async () => {
    const { terminal, progress } = await started('none')
    progress.onEvent({ kind: 'destination-lost', name: 'nas', message: 'There is no answer' })
    expect(terminal.stderr.text).toBe('nas takes no further part: There is no answer\n')
  })

  it('that is not wanted leaves issues and notes', async () => {
    const { terminal, clock, progress } = await started('none')
    clock.ms = 100_000
    progress.onEvent(event)
    progress.onEvent({ kind: 'note', message: 'a socket is left out' })
    expect(terminal.stderr.text).toBe('note: a socket is left out\n')
  })
})

describe('a line of progress', () => {
  it('tells files, bytes, speed, share and time left', () => {
    const line = progressLine({ ...event, totalFiles: 4, totalBytes: 4096, errors: 1, current: '/a' }, 'file', 1_000)
    expect(line).toBe('2 files  2 KiB  2 KiB/s  1 KiB stored  50%  ETA 1.0 s  1 issue  /a')
  })

  it('does not guess once there is more than was expected', () => {
    const line = progressLine({ ...event, totalFiles: 1, totalBytes: 10 }, 'pack', 0)
    expect(line).toBe('2 packs  2 KiB  0 B/s  1 KiB stored')
  })

  it('of a destination that keeps up says nothing of waiting', () => {
    expect(destinationLine({ name: 'nas', storedBytes: 2048, queuedBytes: 0, isLost: false }, 2_000)).toBe(
      '  nas  2 KiB stored  1 KiB/s',
    )
  })
})
