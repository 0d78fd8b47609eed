// How everything that a run loads is bundled.
import { build } from 'esbuild'
import { licencesInto } from './licences.mjs'

/** For what is not to be built into another bundle of ours: a second `require` would be one too many there. */
export const withRequire = {
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module';const require = __createRequire(import.meta.url);",
  },
}

/**
 * @param options of esbuild: entry points, folder, what stays outside
 * @param dist folder of the package that is published: the licences of what is inside go there
 */
export function bundle(dist, options) {
  return build({
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    plugins: [licencesInto(dist)],
    legalComments: 'none',
    logLevel: 'warning',
    ...options,
  })
}
