// npm test: sets up, builds and runs all tests; arguments go to vitest.
import { join } from 'node:path'
import { build } from './build.mjs'
import { root, run, setup } from './setup.mjs'
import { prepareTestTools } from './test-tools.mjs'

setup()
prepareTestTools()
build()
const args = process.argv.slice(2)
// Those that need servers have a command of their own: npm run test:servers.
const projects = args.includes('--project') ? [] : ['--project', 'unit', '--project', 'e2e']
run(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...projects, ...args])
