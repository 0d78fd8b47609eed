import { existsSync } from 'node:fs'
import { copyFile, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { CliError } from '../errors/cli-error.js'
import { collect, type Npm, withoutOurs } from './npm.js'
import type { PluginSource } from './plugin-source.js'
import { readTarball, sha512Of, type Tarball } from './tarball.js'

/** What a registry tells of a version beside the package itself. Nothing of it is proved. */
export interface RegistryFacts {
  readonly publisher: string | undefined
  /** ISO 8601. */
  readonly published: string | undefined
  readonly hasAttestation: boolean
}

/** A package on this disk; nothing of it was unpacked, and none of its code has run. */
export interface FetchedPackage extends Tarball {
  readonly path: string
  /** SHA-512 of the tarball. */
  readonly integrity: string
}

/** @param folder to put the tarball into */
export async function fetchPackage(
  source: PluginSource,
  folder: string,
  npm: Npm,
  surroundings: { readonly env: Readonly<Record<string, string | undefined>>; readonly signal: AbortSignal },
): Promise<FetchedPackage> {
  const path = join(folder, await bring(source, folder, npm, surroundings))
  const [tarball, integrity] = [await readTarball(path), await sha512Of(path)]
  return { ...tarball, path, integrity }
}

async function bring(
  { kind, spec }: PluginSource,
  folder: string,
  npm: Npm,
  { env, signal }: Parameters<typeof fetchPackage>[3],
): Promise<string> {
  if (kind === 'tarball') {
    await copyFile(spec, join(folder, 'package.tgz')).catch((error: NodeJS.ErrnoException) => {
      throw new CliError('failure', `The tarball cannot be read: ${error.message}`, 'Check the path')
    })
    return 'package.tgz'
  }
  if (kind === 'folder' && !existsSync(join(spec, 'package.json')))
    throw new CliError('failure', `There is no package in ${spec}`, 'Check the path')
  if (kind !== 'git') return pack(npm, spec, folder)
  const clone = join(folder, 'git')
  await cloneRepository(spec, clone, withoutOurs(env), signal)
  try {
    return await pack(npm, clone, folder)
  } finally {
    await rm(clone, { recursive: true, force: true })
  }
}

async function pack(npm: Npm, spec: string, folder: string): Promise<string> {
  const args = ['pack', spec, '--json', '--ignore-scripts', '--pack-destination', folder]
  const answer = JSON.parse(await npm.run(args)) as readonly { readonly filename: string }[]
  // npm once wrote the name of a scoped package with its slash.
  return (answer[0]?.filename ?? '').replace(/^@/, '').replaceAll('/', '-')
}

/** Without npm, which runs npm once more inside of the clone, by the clone's own configuration. */
async function cloneRepository(
  spec: string,
  folder: string,
  env: Record<string, string | undefined>,
  signal: AbortSignal,
): Promise<void> {
  const [url = '', committish] = spec.split('#')
  // No hooks, no programs instead of addresses, no questions.
  const safely = ['-c', 'core.hooksPath=/dev/null', '-c', 'protocol.ext.allow=never', '-c', 'core.symlinks=false']
  const options = { cwd: folder, env: { ...env, GIT_TERMINAL_PROMPT: '0' }, signal }
  const git = async (...args: string[]) => {
    const { code, stderr } = await collect('git', [...safely, ...args], options)
    if (code === 0) return
    const lines = stderr.trim().split('\n')
    const reason = lines.find((line) => line.startsWith('fatal:')) ?? lines.at(-1)
    throw new CliError('failure', `git ${args[0]} failed: ${reason}`, 'Check the URL and your rights there')
  }
  await mkdir(folder)
  await git('init', '--quiet')
  await git('fetch', '--quiet', '--depth', '1', '--end-of-options', url, committish ?? 'HEAD')
  await git('checkout', '--quiet', '--detach', 'FETCH_HEAD')
  await rm(join(folder, '.git'), { recursive: true, force: true })
}

interface View {
  readonly dist?: { readonly integrity?: string; readonly attestations?: unknown }
  readonly time?: Readonly<Record<string, string>>
  readonly _npmUser?: string | { readonly name?: string }
}

/** @returns undefined for what is from elsewhere @throws CliError when the registry announces another tarball */
export async function registryFacts(
  source: PluginSource,
  { packageJson: { name, version }, integrity }: FetchedPackage,
  npm: Npm,
): Promise<RegistryFacts | undefined> {
  if (source.kind !== 'registry') return undefined
  if (name !== source.name)
    throw new CliError('failure', `The registry gave the package ${String(name)} for ${source.name}`, 'Do not use it')
  const answer = JSON.parse(await npm.run(['view', `${source.name}@${String(version)}`, '--json'])) as View | View[]
  const { dist, time, _npmUser } = Array.isArray(answer) ? (answer[0] ?? {}) : answer
  if (dist?.integrity !== undefined && !dist.integrity.split(' ').includes(integrity))
    throw new CliError(
      'failure',
      `The tarball of ${source.spec} is not what the registry announces`,
      'Do not use it; ask its author',
    )
  const publisher = typeof _npmUser === 'string' ? _npmUser.replace(/ <.*/, '') : _npmUser?.name
  return { publisher, published: time?.[String(version)], hasAttestation: dist?.attestations !== undefined }
}
