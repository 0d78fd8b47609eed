// Makes a fresh clone ready: dependencies from the npm registry, then the native parts that may have to be compiled.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = join(dirname(fileURLToPath(import.meta.url)), '..')

/** Runs a program with its output on the terminal; ends this process when it fails. */
export function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options })
  if (error) throw error
  if (status !== 0) process.exit(status ?? 1)
}

function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return
  console.error(`bkp needs Node 20.19 or newer; this is ${process.version}`)
  process.exit(1)
}

function installDependencies() {
  const stamp = join(root, 'node_modules', '.bkp-setup')
  const lock = readFileSync(join(root, 'package-lock.json'), 'utf8')
  const wanted = `${process.version}\n${lock.length}\n${lock}`
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  // Install scripts stay off: what can do with one is built below.
  // Not `npm ci`: it refuses a lock file in which optional packages of other platforms are missing, as some registries
  // leave them out.
  run('npm', ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'])
  buildNative()
  writeFileSync(stamp, wanted)
}

/**
 * What may be compiled against the headers beside the running Node: zstd, which Node has itself from 22.15 on, and a part of ssh2
 * that saves a tenth of the processor time of a backup by SFTP.
 */
function buildNative() {
  if (process.env.BKP_OMIT_OPTIONAL === '1') return
  const prefix = join(dirname(process.execPath), '..')
  const hasHeaders = existsSync(join(prefix, 'include', 'node', 'node_api.h'))
  const packages = [
    ...(hasZstd() ? [] : ['zstd-napi']),
    ...(hasHeaders && !loads('ssh2/lib/protocol/crypto.js', 'bindingAvailable') ? ['ssh2'] : []),
  ]
  if (packages.length === 0) return
  const env = { ...process.env, ...(hasHeaders ? { npm_config_nodedir: prefix } : {}) }
  console.log(`Compiling ${packages.join(' and ')} (about a minute, once)`)
  spawnSync('npm', ['rebuild', ...packages, '--loglevel=error', '--foreground-scripts=false'], {
    cwd: root,
    env,
    stdio: 'ignore',
    timeout: 300_000,
  })
  if (!hasZstd())
    console.log(
      'zstd is not available (no compiler, and this Node has none): deflate is used instead, slower and larger',
    )
}

function hasZstd() {
  return loads('node:zlib', 'zstdCompressSync') || loads('zstd-napi/binding.js', 'CCtx')
}

function loads(specifier, name) {
  const code = `import(${JSON.stringify(specifier)}).then((m) => process.exit((m.default ?? m)[${JSON.stringify(name)}] ? 0 : 1), () => process.exit(1))`
  return spawnSync(process.execPath, ['--input-type=module', '-e', code], { cwd: root }).status === 0
}

export function setup() {
  requireNode()
  installDependencies()
}

if (process.argv[1] === fileURLToPath(import.meta.url)) setup()
