import { describe, it } from 'vitest'
import type { StorageUnderTest } from './describe-storage.js'
import { expectBytes, expectListed, forEachParallel } from './observations.js'

const characters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-']
const long = 'x'.repeat(127)

const groups: Readonly<Record<string, readonly string[]>> = {
  'have every character in every place': characters.flatMap((character) => [
    ...(character === '.' ? [] : [`alone/${character}`]),
    `within/a${character}b/c${character}d`,
    `edges/${character}a${character}`,
  ]),
  'differ in case alone': ['case/README', 'case/readme', 'case/Readme', 'Case/readme', 'CASE/readme'],
  'begin with one another': ['ab', 'abc', 'ab-c', 'ab.c', 'b/a', 'b/ab', 'b-/a', 'b.a'],
  'are as long as they may be': [
    `${long}1`,
    `segments/${long}2`,
    `${long}a/${long}b/${long}c/${'y'.repeat(125)}`,
    Array.from({ length: 256 }, () => 'a')
      .join('/')
      .concat('b'),
  ],
  'mean something elsewhere': [
    '...',
    '..a',
    'a..',
    'dots/...',
    '.hidden',
    '-rf',
    '--',
    'index.html',
    'con',
    'nul.txt',
    'end.',
    '__proto__',
    'objects/__proto__',
    'constructor',
    'toString',
    'tmp/object',
    'temp/object',
    '.tmp/object',
    'object.tmp',
    'object.part',
    'lost-found/object',
  ],
}

export function describeKeys({ withStorage }: StorageUnderTest): void {
  describe('keys that', () => {
    it.each(Object.entries(groups))('%s are told apart and listed as they are', (_name, keys) =>
      withStorage(async (storage, { reopen }) => {
        await forEachParallel(keys, (key) => storage.put(key, contentOf(key)))
        const later = await reopen()
        await forEachParallel(keys, async (key) => expectBytes(await later.get(key), contentOf(key)))
        const expected = keys.map((key) => ({ key, sizeBytes: contentOf(key).length }))
        await expectListed(storage, '', expected)
        await expectListed(later, '', expected)
        for (const folder of new Set(keys.map((key) => key.slice(0, key.lastIndexOf('/') + 1)))) {
          await expectListed(
            later,
            folder,
            expected.filter(({ key }) => key.startsWith(folder)),
          )
        }
      }),
    )
  })
}

function contentOf(key: string): Uint8Array {
  return Buffer.from(`content of ${key}`)
}
