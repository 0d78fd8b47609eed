// One file for the command layer, so that start-up does not resolve hundreds of modules; core and plugins stay outside
// and are imported only by commands that need them.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundle, withRequire } from '../../../scripts/bundle.mjs'
import { builtInConfigSchema } from './config-schema.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const dist = join(root, 'dist')
const manifest = join(root, 'oclif.manifest.json')
removeOldBundles()
await bundle(dist, {
  entryPoints: {
    'early-thread': join(root, 'src/early-thread.ts'),
    main: join(root, 'src/main.ts'),
    commands: join(root, 'src/commands.ts'),
  },
  outdir: dist,
  external: [
    '@bkp/*',
    '@napi-rs/keyring',
    'age-encryption',
    '@inquirer/prompts',
    'cli-table3',
    'cli-progress',
    '@oclif/plugin-plugins',
    'npm-package-arg',
    'tar',
  ],
  ...withRequire,
  sourcemap: 'linked',
})
await writeManifest()
// For editors: the configuration file names it.
writeFileSync(join(dist, 'config.schema.json'), `${JSON.stringify(await builtInConfigSchema(), undefined, 2)}\n`)

// Their names hold hashes, so they would pile up.
function removeOldBundles() {
  for (const name of readdirSync(root).includes('dist') ? readdirSync(dist) : []) {
    if (/\.js(\.map)?$/.test(name)) rmSync(join(dist, name))
  }
}

/** What oclif needs to know of the commands without importing them. */
async function writeManifest() {
  const { Config } = await import('@oclif/core')
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  // As long as there is a manifest, oclif believes it.
  rmSync(manifest, { force: true })
  const config = await Config.load({ root, devPlugins: false, userPlugins: false })
  const commands = Object.fromEntries(config.commands.map(({ load, ...command }) => [command.id, command]))
  writeFileSync(manifest, `${JSON.stringify({ commands, version }, undefined, 2)}\n`)
}
