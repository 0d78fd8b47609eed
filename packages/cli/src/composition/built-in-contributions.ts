import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { PluginManifest } from '@bkp/plugin-api'
import { builtInPlugins } from './built-in-engine.js'

/** A name that a plugin that comes with bkp has taken: an id of a port, or a scheme. */
export interface TakenName {
  readonly port: string
  readonly name: string
  readonly packageName: string
}

/** Ids by port, and schemes with the port `scheme`, from the manifests alone. */
export function builtInNames(): readonly TakenName[] {
  const require = createRequire(import.meta.url)
  return builtInPlugins.flatMap((packageName) => {
    const json = readFileSync(require.resolve(`${packageName}/package.json`), 'utf8')
    const { contributes } = (JSON.parse(json) as { readonly bkp: PluginManifest }).bkp
    const ids = Object.entries(contributes).flatMap(([port, contributions]) =>
      contributions.map(({ id }) => ({ port, name: id, packageName })),
    )
    const schemes = (contributes.storage ?? []).flatMap((one) => one.schemes)
    return [...ids, ...schemes.map((name) => ({ port: 'scheme', name, packageName }))]
  })
}
