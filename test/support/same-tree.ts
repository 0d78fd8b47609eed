import { execFileSync } from 'node:child_process'
import { expect } from 'vitest'

/** Compares two trees by rsync: bytes, names, modes, owners, times, links, extended attributes. */
export function expectSameTree(from: string, to: string): void {
  const args = ['-aHAXni', '--checksum', '--delete', '--modify-window=-1', `${from}/`, `${to}/`]
  expect(execFileSync('rsync', args, { encoding: 'utf8' })).toBe('')
}
