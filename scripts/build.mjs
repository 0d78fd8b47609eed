// Compiles all packages and bundles the command layer.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { root, run } from './setup.mjs'

export function build() {
  run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b'])
  run(process.execPath, [join(root, 'scripts/bundle-plugins.mjs')])
  run(process.execPath, [join(root, 'packages/core/scripts/bundle.mjs')])
  run(process.execPath, [join(root, 'packages/cli/scripts/bundle.mjs')])
}

if (process.argv[1] === fileURLToPath(import.meta.url)) build()
