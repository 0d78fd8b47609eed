// npm run check: types, lint with import directions and formatting, tests.
import { join } from 'node:path'
import { build } from './build.mjs'
import { root, run, setup } from './setup.mjs'

setup()
build()
run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'test'])
run(process.execPath, [join(root, 'node_modules/@biomejs/biome/bin/biome'), 'check', '.'])
run(process.execPath, [
  join(root, 'node_modules/vitest/vitest.mjs'),
  'run',
  '--project',
  'unit',
  '--project',
  'e2e',
  ...process.argv.slice(2),
])
