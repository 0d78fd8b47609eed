// JSON Schema of the configuration file, with the options of the storages and notifiers that come with bkp. Run by itself (npm run schemas)
// it writes the published copy, docs/config.schema.json.
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

export async function builtInConfigSchema() {
  const { configSchema, describeNotifiers, describeStorages } = await import('@bkp/core/config')
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const folders = (prefix) =>
    Object.keys(dependencies)
      .filter((name) => name.startsWith(prefix))
      .map((name) => dirname(fileURLToPath(import.meta.resolve(`${name}/package.json`))))
  const described = (describe, prefix) => describe({ bundled: folders(prefix), installed: [] })
  return configSchema(
    await described(describeStorages, '@bkp/storage-'),
    await described(describeNotifiers, '@bkp/notifier-'),
  )
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const schema = await builtInConfigSchema()
  writeFileSync(join(root, '../../docs/config.schema.json'), `${JSON.stringify(schema, undefined, 2)}\n`)
}
