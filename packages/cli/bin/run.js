#!/usr/bin/env node
import { existsSync } from 'node:fs'
import module from 'node:module'
import { join } from 'node:path'

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`Error: bkp needs Node 20.19 or newer; this is ${process.version}\n`)
  process.exit(1)
}
if (!existsSync(new URL('../dist/main.js', import.meta.url))) {
  process.stderr.write('Error: bkp is not built here yet\nBuild it, and try it on real files: npm run quickstart\n')
  process.exit(1)
}
// Notices of libraries to programmers (deprecations, end of support) are not for users.
process.removeAllListeners('warning')
if (process.env.DEBUG) process.on('warning', (warning) => process.stderr.write(`${warning.stack}\n`))
// Compiled code is kept between runs where Node can do that (22.8 and newer): in the user's own cache folder,
// because what lies in the folder for temporary files, Node's default, could be somebody else's code.
const { HOME, XDG_CACHE_HOME, LOCALAPPDATA } = process.env
const cache =
  XDG_CACHE_HOME || LOCALAPPDATA || (HOME && join(HOME, process.platform === 'darwin' ? 'Library/Caches' : '.cache'))
if (cache) module.enableCompileCache?.(join(cache, 'bkp', 'compiled'))
const argv = process.argv.slice(2)
const { startEarlyThread } = await import('../dist/early-thread.js')
const thread = await startEarlyThread(argv)
const { main } = await import('../dist/main.js')
await main(argv, import.meta.url, thread)
