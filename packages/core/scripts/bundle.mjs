// Core and its worker as few files: a run starts three threads, and resolving a hundred modules in each costs more than
// all else at start-up. Types still come from the compiler's output beside it.
import { rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundle, withRequire } from '../../../scripts/bundle.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
// What an earlier build left would be published too.
rmSync(join(root, 'dist/bundle'), { recursive: true, force: true })
// On its own: what it shares with others would be seven modules more for a thread that is started beside the work. First, since
// the licences of all that it holds come with the others.
await bundle(join(root, 'dist'), {
  entryPoints: { 'plugin-thread-main': join(root, 'dist/plugins/thread/plugin-thread-main.js') },
  splitting: false,
  outdir: join(root, 'dist/bundle'),
  ...withRequire,
})
await bundle(join(root, 'dist'), {
  entryPoints: {
    index: join(root, 'dist/index.js'),
    main: join(root, 'dist/engine/worker/main.js'),
    authoring: join(root, 'dist/authoring.js'),
    config: join(root, 'dist/config.js'),
    plugins: join(root, 'dist/plugins.js'),
    threads: join(root, 'dist/threads.js'),
    'loop-watch-thread': join(root, 'dist/plugins/containment/loop-watch-thread.js'),
    'trace-process': join(root, 'dist/plugins/trace/trace-process.js'),
  },
  outdir: join(root, 'dist/bundle'),
  // Native parts stay packages of their own.
  external: ['@napi-rs/blake-hash', '@node-rs/argon2'],
  ...withRequire,
})
