import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expectPortRejection, randomLikeBytes } from '@bkp/testkit'
import { describe, expect, it } from 'vitest'
import { openFolder } from './testing/open-folder.js'
import { canAppendOnly, withFolder } from './testing/temporary-folder.js'

const bytes = randomLikeBytes(1000)

describe.runIf(canAppendOnly())('a folder that only takes (chattr +a)', () => {
  it.each(['.', '@tmp'])('as is %s stores objects, and says forbidden to removing and replacing', (also) =>
    withFolder(async (root) => {
      const folders = ['packs', also].map((name) => join(root, name))
      mkdirSync(join(root, '@tmp'))
      mkdirSync(join(root, 'packs'))
      execFileSync('chattr', ['+a', ...folders])
      try {
        const storage = await openFolder(root)
        // Renaming out of a folder that only takes is taking away: there, only new names can be given.
        await storage.put('packs/object', bytes, { ifAbsent: true })
        await expectPortRejection('already-exists', () => storage.put('packs/object', bytes, { ifAbsent: true }))
        await expectPortRejection('forbidden', () => storage.put('packs/object', bytes))
        await expectPortRejection('forbidden', () => storage.remove('packs/object'))
        await storage.remove('packs/never-there')
        expect(Buffer.compare(await storage.get('packs/object'), bytes)).toBe(0)
      } finally {
        execFileSync('chattr', ['-a', ...folders])
      }
    }),
  )
})
