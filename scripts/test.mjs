// npm test: sets up, builds and runs all tests; arguments go to vitest.
import { join } from 'node:path'
import { build } from './build.mjs'
import { root, run, setup } from './setup.mjs'
import { prepareTestTools } from './test-tools.mjs'

setup()
prepareTestTools()
build()
run(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...process.argv.slice(2)])
