// The plugins that come with bkp, and plugin-api, as few files each: what a run loads, in up to three threads, it would else
// have to resolve and read from up to a hundred (the SDK of S3: 130 instead of 280 ms). Types still come from the compiler's
// output beside them.
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { licencesInto } from './licences.mjs'
import { root } from './setup.mjs'

// plugin-api is one for all; what has native parts, or files beside its code (ssh2: pagent.exe), stays a package of its own.
const external = ['@bkp/plugin-api', 'koffi', 'zstd-napi', 'ssh2', 'ssh2-sftp-client']

const requireForCommonJs = {
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module';const require = __createRequire(import.meta.url);",
  },
}

export async function bundlePlugins() {
  const plugins = readdirSync(join(root, 'plugins')).map((name) => join(root, 'plugins', name))
  // Core has it inside: it must not bring a `require` of its own.
  await bundle(join(root, 'packages/plugin-api'), {})
  await Promise.all(plugins.map((folder) => bundle(folder, requireForCommonJs)))
}

async function bundle(folder, options) {
  const { bkp, exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const modules = Object.values(bkp?.contributes ?? {}).flatMap((list) => list.map(({ module }) => module))
  const entries = [exports['.'].default, ...modules.filter((module) => module !== undefined)]
  // What an earlier build left would be published too.
  rmSync(join(folder, 'dist/bundle'), { recursive: true, force: true })
  await build({
    entryPoints: [...new Set(entries)].map((path) => join(folder, path.replace('/bundle/', '/'))),
    outdir: join(folder, 'dist/bundle'),
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    mainFields: ['module', 'main'],
    target: 'node20.19',
    external,
    plugins: [licencesInto(join(folder, 'dist'))],
    legalComments: 'none',
    logLevel: 'warning',
    ...options,
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundlePlugins()
