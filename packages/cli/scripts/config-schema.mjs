// JSON Schema of the configuration file, with the options of the storages that come with bkp. Run by itself (npm run schemas)
// it writes the published copy, docs/config.schema.json.
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

export async function builtInConfigSchema() {
  const { configSchema, describeStorages } = await import('@bkp/core/config')
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const bundled = Object.keys(dependencies)
    .filter((name) => name.startsWith('@bkp/storage-'))
    .map((name) => dirname(fileURLToPath(import.meta.resolve(`${name}/package.json`))))
  return configSchema(await describeStorages({ bundled, installed: [] }))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const schema = await builtInConfigSchema()
  writeFileSync(join(root, '../../docs/config.schema.json'), `${JSON.stringify(schema, undefined, 2)}\n`)
}
