import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { UsageError } from '../errors/cli-error.js'

/** Where a plugin comes from. */
export type PluginSource =
  | {
      readonly kind: 'registry'
      /** `name@range`, as it is looked up again by an update. */
      readonly spec: string
      readonly name: string
      /** Whether it names one version and no range or tag. */
      readonly isExact: boolean
    }
  | {
      readonly kind: 'tarball' | 'folder' | 'url' | 'git'
      /** An absolute path, or a URL. */
      readonly spec: string
    }

const examples =
  'Give a name of the registry (bkp-storage-x, bkp-storage-x@1.2.3), a tarball (./x.tgz, https://…/x.tgz), a folder (./x), or a git URL (git+https://…)'

/**
 * Reads the argument of `bkp plugins:install` by npm's own rules, but for one: `dist/x.tgz` and `plugins/x` are not on GitHub
 * where they are here.
 * @throws UsageError for what names no package
 */
export async function parsePluginSource(text: string, folder = process.cwd()): Promise<PluginSource> {
  const { default: npa } = await import('npm-package-arg')
  let parsed: ReturnType<typeof npa>
  try {
    parsed = npa(isPathHere(text, folder) ? `./${text}` : text, folder)
  } catch (error) {
    throw new UsageError(`"${text}" names no plugin: ${(error as Error).message.split('\n')[0]}`, examples)
  }
  const spec = parsed.fetchSpec ?? ''
  switch (parsed.type) {
    case 'version':
    case 'range':
    case 'tag': {
      const name = parsed.name ?? ''
      return { kind: 'registry', spec: `${name}@${spec}`, name, isExact: parsed.type === 'version' }
    }
    case 'file':
      return { kind: 'tarball', spec: resolve(folder, spec) }
    case 'directory':
      return { kind: 'folder', spec: resolve(folder, spec) }
    case 'remote':
      return { kind: 'url', spec: withoutCredentials(spec) }
    case 'git':
      return { kind: 'git', spec: withoutCredentials(gitSpec(parsed, text)) }
    default:
      throw new UsageError(`"${text}" is another name for a package, which bkp does not install`, examples)
  }
}

/** Neither a scope nor a URL, and with a slash: what npm takes for a name on GitHub. */
function isPathHere(text: string, folder: string): boolean {
  return /^[^@./:~][^:]*\//.test(text) && existsSync(resolve(folder, text))
}

/** URL and committish of a git repository; `name/name` is one on GitHub, as npm has it. */
function gitSpec(
  parsed: { hosted?: unknown; fetchSpec: string | null; gitCommittish?: string | null | undefined },
  text: string,
): string {
  const hosted = parsed.hosted as { https(options: { noCommittish: boolean }): string } | undefined
  const url = hosted === undefined ? (parsed.fetchSpec ?? text) : hosted.https({ noCommittish: true })
  const plain = url.replace(/^git\+/, '')
  return parsed.gitCommittish ? `${plain}#${parsed.gitCommittish}` : plain
}

// It would stay in the lock file, and every user of this machine can see a command line.
function withoutCredentials(url: string): string {
  const { username, password } = URL.canParse(url) ? new URL(url) : { username: '', password: '' }
  if (password === '' && !(username !== '' && /^https?:/.test(url))) return url
  throw new UsageError(
    'The URL holds credentials, which every user of this machine can see',
    "Leave them out; npm's and git's own configuration may hold them",
  )
}
