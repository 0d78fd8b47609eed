import { describeSource, expectPortRejection, textLikeBytes } from '@bkp/testkit'
import { afterAll, describe, it } from 'vitest'
import git from './index.js'
import { makeRepository } from './testing/repository.js'

const log = { debug: () => undefined, info: () => undefined, warn: () => undefined }

const made = makeRepository()
for (const n of [1, 2, 3]) made.commit('letter', textLikeBytes(50_000, n))
made.git('tag', '-a', '-m', 'The first', 'v1')
made.git('branch', 'other', 'HEAD~1')
made.push()
afterAll(() => made.dispose())

describeSource(git, {
  sizes: 'unknown',
  ranges: 'none',
  directories: 'listed',
  prepare: () => ({
    configuration: { repository: made.repository },
    // What git makes itself, byte for byte.
    files: [{ path: '/project.bundle', content: made.bundle() }],
    directories: [{ path: '/', names: ['project.bundle'] }],
    missing: '/other.bundle',
    // One repository serves all tests: nobody changes it.
    dispose: () => undefined,
  }),
})

describe('the configuration', () => {
  it.each([{}, { repository: '' }, { repository: 'relative/path' }, { repository: 7 }])('refuses %j', (configuration) =>
    expectPortRejection('config', async () => git.openSource({ configuration, log })),
  )
})
