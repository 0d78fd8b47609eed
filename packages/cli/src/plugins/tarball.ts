import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { CliError } from '../errors/cli-error.js'

/** A package's tarball, read without unpacking it. */
export interface Tarball {
  readonly packageJson: Readonly<Record<string, unknown>>
  /** Paths inside the package. */
  readonly files: readonly string[]
}

const most = { files: 100_000, bytes: 2 ** 30, packageJsonBytes: 2 ** 20 }

/** @throws CliError when it is no npm package */
export async function readTarball(path: string): Promise<Tarball> {
  const { list } = await import('tar')
  const files: string[] = []
  let bytes = 0
  const chunks: Buffer[] = []
  const refusal = (reason: string) =>
    new CliError('failure', `${path} is no package of npm: ${reason}`, 'Make one by npm pack')
  let problem: string | undefined
  try {
    await list({
      file: path,
      strict: true,
      onReadEntry: (entry) => {
        bytes += entry.size
        if (files.length >= most.files || bytes > most.bytes) problem = 'it is too large'
        if (entry.type === 'Directory' || problem !== undefined) return
        // The first part, usually "package", has no meaning.
        const inside = entry.path.split('/').slice(1).join('/')
        files.push(inside)
        if (inside !== 'package.json') return
        if (entry.size > most.packageJsonBytes) problem = 'its package.json is too large'
        else entry.on('data', (chunk: Buffer) => chunks.push(chunk))
      },
    })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall !== undefined) throw error
    throw refusal((error as Error).message)
  }
  if (problem !== undefined) throw refusal(problem)
  if (chunks.length === 0) throw refusal('it has no package.json')
  try {
    return { packageJson: JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>, files }
  } catch {
    throw refusal('its package.json is no JSON')
  }
}

/** `sha512-<base64>`, as npm and registries write it. */
export async function sha512Of(path: string): Promise<string> {
  const hash = createHash('sha512')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  return `sha512-${hash.digest('base64')}`
}
