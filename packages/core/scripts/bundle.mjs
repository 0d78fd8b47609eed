// Core and its worker as few files: a run starts three threads, and resolving a hundred modules in each costs more than
// all else at start-up. Types still come from the compiler's output beside it.
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
await build({
  entryPoints: { index: join(root, 'dist/index.js'), main: join(root, 'dist/engine/worker/main.js') },
  outdir: join(root, 'dist/bundle'),
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  // Native parts and what carries state across copies stay packages of their own.
  external: ['@napi-rs/blake-hash', '@node-rs/argon2', 'ajv', 'ajv/*', 'tsyringe', 'reflect-metadata'],
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module';const require = __createRequire(import.meta.url);",
  },
  legalComments: 'none',
  logLevel: 'warning',
})
