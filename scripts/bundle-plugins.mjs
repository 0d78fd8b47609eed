// The plugins that come with bkp, and plugin-api, as few files each: what a run loads, in up to three threads, it would else
// have to resolve and read from up to a hundred (the SDK of S3: 130 instead of 280 ms). Types still come from the compiler's
// output beside them.
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundle, withRequire } from './bundle.mjs'
import { root } from './setup.mjs'

// plugin-api is one for all; what has native parts, or files beside its code (ssh2: pagent.exe), stays a package of its own.
const external = ['@bkp/plugin-api', 'koffi', 'zstd-napi', 'ssh2', 'ssh2-sftp-client']

export async function bundlePlugins() {
  const plugins = readdirSync(join(root, 'plugins')).map((name) => join(root, 'plugins', name))
  // Core has plugin-api inside.
  await bundlePackage(join(root, 'packages/plugin-api'), {})
  await Promise.all(plugins.map((folder) => bundlePackage(folder, withRequire)))
}

async function bundlePackage(folder, options) {
  const { bkp, exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const modules = Object.values(bkp?.contributes ?? {}).flatMap((list) => list.map(({ module }) => module))
  const entries = [exports['.'].default, ...modules.filter((module) => module !== undefined)]
  // What an earlier build left would be published too.
  rmSync(join(folder, 'dist/bundle'), { recursive: true, force: true })
  await bundle(join(folder, 'dist'), {
    entryPoints: [...new Set(entries)].map((path) => join(folder, path.replace('/bundle/', '/'))),
    outdir: join(folder, 'dist/bundle'),
    mainFields: ['module', 'main'],
    external,
    ...options,
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundlePlugins()
