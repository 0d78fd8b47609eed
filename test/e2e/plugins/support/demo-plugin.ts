import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface DemoOptions {
  readonly name?: string
  readonly version?: string
  readonly scheme?: string
  readonly compression?: string
  readonly more?: Readonly<Record<string, unknown>>
  readonly manifest?: Readonly<Record<string, unknown>>
}

// Every module says that it ran: by a file, since threads share no memory with the test.
const mark = (what: string) =>
  `import { appendFileSync } from 'node:fs'\nif (process.env.DEMO_RAN) appendFileSync(process.env.DEMO_RAN, '${what}\\n')\n`

const storage = (scheme: string) => `${mark('storage')}
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { definePlugin, PortError, rangeWithin } from '@bkp/plugin-api'
import { suffix } from 'demo-dependency'
const capabilities = { conditionalCreate: false, listing: 'strong', canRemove: true, maxObjectBytes: 2 ** 40, concurrency: 4, isLocal: true, objectLock: false }
class FolderStorage {
  capabilities = capabilities
  constructor(root) { this.root = root }
  path(key) { return join(this.root, ...key.split('/')) + suffix }
  size(key) { try { return statSync(this.path(key)).size } catch { throw new PortError('not-found', key + ' is not there') } }
  async put(key, data, { ifAbsent } = {}) {
    const path = this.path(key)
    if (ifAbsent) { try { statSync(path); throw new PortError('already-exists', key) } catch (error) { if (error.code !== 'ENOENT') throw error } }
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path + '.tmp', data)
    renameSync(path + '.tmp', path)
  }
  async get(key, options = {}) {
    const { offset, length } = rangeWithin(key, this.size(key), options)
    return new Uint8Array(readFileSync(this.path(key)).subarray(offset, offset + length))
  }
  async stat(key) { return { key, sizeBytes: this.size(key) } }
  async *list(prefix) {
    let names = []
    try { names = readdirSync(this.root, { recursive: true }) } catch (error) { if (error.code !== 'ENOENT') throw error }
    for (const name of names) {
      if (!name.endsWith(suffix)) continue
      const key = name.slice(0, -suffix.length)
      if (key.startsWith(prefix)) yield { key, sizeBytes: this.size(key) }
    }
  }
  async remove(key) { rmSync(this.path(key), { force: true }) }
  async close() {}
}
export default definePlugin({
  activate(context) {
    context.registerStorage('${scheme}', async ({ url, intent, configuration: { token } }) => {
      if (token !== undefined && typeof token.reveal !== 'function') throw new PortError('config', 'the token is no secret')
      const root = url.replace('${scheme}://disk', '')
      if (intent === 'create') mkdirSync(root, { recursive: true })
      try { statSync(root) } catch { throw new PortError('not-found', root + ' is not there') }
      return new FolderStorage(root)
    })
  },
})
`

const codec = (id: string) => `${mark('codec')}
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib'
export default {
  id: '${id}',
  create: () => ({
    compress(input, output) {
      const packed = brotliCompressSync(input, { params: { 1: 1 } })
      if (packed.length > output.length) return -1
      output.set(packed)
      return packed.length
    },
    decompress(input, output) { output.set(brotliDecompressSync(input, { maxOutputLength: output.length })) },
  }),
}
`

/** The source of a small plugin with a storage and a compression, and a dependency that comes inside of its tarball. */
export function writeDemo(folder: string, options: DemoOptions = {}): void {
  const { name = 'bkp-demo', version = '1.0.0', scheme = 'demo', compression = 'demo-brotli' } = options
  const configuration = {
    type: 'object',
    properties: {
      token: { type: 'string', 'x-bkp-secret': true },
      region: { type: 'string', enum: ['north', 'south'] },
    },
    additionalProperties: false,
  }
  const dependency = join(folder, 'node_modules/demo-dependency')
  mkdirSync(dependency, { recursive: true })
  const json = (value: object) => JSON.stringify(value, undefined, 2)
  writeFileSync(
    join(folder, 'package.json'),
    json({
      name,
      version,
      type: 'module',
      exports: './index.js',
      files: ['*.js'],
      peerDependencies: { '@bkp/plugin-api': '^1.0.0' },
      dependencies: { 'demo-dependency': '1.0.0' },
      bundleDependencies: ['demo-dependency'],
      scripts: { postinstall: "node -e \"require('fs').appendFileSync(process.env.DEMO_RAN, 'script\\\\n')\"" },
      bkp: {
        api: '^1.0.0',
        displayName: 'Demo',
        hosts: ['demo.example'],
        contributes: {
          storage: [{ id: scheme, schemes: [scheme], configuration }],
          compression: [{ id: compression, module: './codec.js' }],
        },
        ...options.manifest,
      },
      ...options.more,
    }),
  )
  writeFileSync(join(folder, 'index.js'), storage(scheme))
  writeFileSync(join(folder, 'codec.js'), codec(compression))
  writeFileSync(join(folder, 'hook.js'), `${mark('hook')}export default async () => {}\n`)
  writeFileSync(
    join(dependency, 'package.json'),
    json({ name: 'demo-dependency', version: '1.0.0', type: 'module', exports: './index.js' }),
  )
  writeFileSync(join(dependency, 'index.js'), "export const suffix = '.bin'\n")
}

export interface Packed {
  readonly path: string
  readonly integrity: string
  /** What its package.json says, as far as whoever installs it needs that. */
  readonly manifest?: object
}

/** As its author would pack it. */
export function packDemo(folder: string, options: DemoOptions = {}): Packed {
  mkdirSync(folder, { recursive: true })
  writeDemo(folder, options)
  return packFolder(folder)
}

export function packFolder(folder: string): Packed {
  const out = execFileSync('npm', ['pack', '--json', '--ignore-scripts'], { cwd: folder, encoding: 'utf8' })
  const [{ filename, integrity }] = JSON.parse(out) as [{ filename: string; integrity: string }]
  return { path: join(folder, filename), integrity }
}
