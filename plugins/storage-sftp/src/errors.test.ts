import { describe, expect, it } from 'vitest'
import { toPortError, toWriteError } from './errors.js'
import type { FileSystemSpace, Session } from './session.js'

const answer = (code: number, message = 'Failure') => Object.assign(new Error(message), { code })

/** Of a session, only what is asked about a full disk. */
function sessionWith(space: FileSystemSpace | 'unknown' | 'refused'): Session {
  return {
    abilities: { freeSpace: space !== 'unknown' },
    space: () => (typeof space === 'string' ? Promise.reject(answer(8)) : Promise.resolve(space)),
  } as unknown as Session
}

describe('a status of the server', () => {
  it.each([
    [2, 'not-found'],
    [3, 'forbidden'],
    [4, 'transient'],
    [5, 'unsupported'],
    [7, 'transient'],
    [8, 'unsupported'],
    [10, 'not-found'],
    [11, 'already-exists'],
    [12, 'forbidden'],
    [14, 'quota'],
    [15, 'quota'],
    [99, 'transient'],
  ])('%i is %s', (number, code) => {
    expect(toPortError(answer(number, 'what it says'), 'Cannot store x')).toMatchObject({
      code,
      message: 'Cannot store x: what it says',
    })
  })

  const space = { freeBytes: 1_000_000, freeFiles: 1000, isReadOnly: false }
  it.each([
    ['a disk with room', space, 'transient', 'Failure'],
    ['a disk without room for the object', { ...space, freeBytes: 10 }, 'quota', 'the disk of the server is full'],
    ['a disk without room for a file', { ...space, freeFiles: 0 }, 'quota', 'the disk of the server is full'],
    [
      'a disk that is mounted read-only',
      { ...space, isReadOnly: true },
      'forbidden',
      'the file system on the server is read-only',
    ],
    ['a server that does not tell', 'unknown', 'transient', 'Failure'],
    ['a server that refuses to tell', 'refused', 'transient', 'Failure'],
  ] as const)('"Failure" of a write to %s', async (_name, found, code, said) => {
    const error = await toWriteError(answer(4), 'Cannot store x', sessionWith(found), '/root', 1000)
    expect(error).toMatchObject({ code, message: `Cannot store x: ${said}` })
  })

  it('that is clear is not asked about', async () => {
    const error = await toWriteError(answer(3), 'Cannot store x', sessionWith({ ...space, freeBytes: 0 }), '/root', 1)
    expect(error.code).toBe('forbidden')
  })
})
