import { PortError } from '@bkp/plugin-api'
import { outputOf } from './git.js'

/** Where all branches and tags were at one moment. */
export interface Refs {
  /** What a bundle begins with, up to its pack (gitformat-bundle(5)). */
  readonly bundleHeader: string
  /** Hex ids of the objects that refs name; none in a repository without a commit. */
  readonly tips: readonly string[]
  /** When the newest of them was made, in seconds since 1970. */
  readonly newestSeconds: number
}

const format = '%(objectname) %(refname)%09%(creatordate:unix)%09%(HEAD)'

/**
 * One look at all refs: what moves later does not matter, since objects never change.
 * @throws PortError `unsupported` for a repository that holds only a part of its history
 */
export async function readRefs(repository: string): Promise<Refs> {
  const about = await outputOf(repository, ['rev-parse', '--is-shallow-repository', '--show-object-format'])
  const [isShallow, hash] = about.split('\n')
  if (isShallow === 'true') {
    throw new PortError('unsupported', `${repository} is shallow: a bundle of it could not be cloned`, {
      hint: `Fetch the rest first: git -C ${repository} fetch --unshallow`,
    })
  }
  const lines = (await outputOf(repository, ['for-each-ref', `--format=${format}`])).split('\n').filter(Boolean)
  const refs = lines.map((line) => {
    const [ref = '', seconds = '', head = ''] = line.split('\t')
    return { ref, id: ref.slice(0, ref.indexOf(' ')), seconds: Number(seconds), isHead: head === '*' }
  })
  // Without a line for HEAD, a clone would not know what to check out.
  const head = refs.filter(({ isHead }) => isHead).map(({ id }) => `${id} HEAD`)
  const signature = hash === 'sha1' ? ['# v2 git bundle'] : ['# v3 git bundle', `@object-format=${hash}`]
  return {
    bundleHeader: [...signature, ...refs.map(({ ref }) => ref), ...head, '', ''].join('\n'),
    tips: [...new Set(refs.map(({ id }) => id))],
    newestSeconds: Math.max(0, ...refs.map(({ seconds }) => seconds)),
  }
}
