#!/usr/bin/env node
import module from 'node:module'

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`Error: bkp needs Node 20.19 or newer; this is ${process.version}\n`)
  process.exit(1)
}
// Notices of libraries to programmers (deprecations, end of support) are not for users.
process.removeAllListeners('warning')
if (process.env.DEBUG) process.on('warning', (warning) => process.stderr.write(`${warning.stack}\n`))
// Compiled code is kept between runs where Node can do that (22.8 and newer).
module.enableCompileCache?.()
const { main } = await import('../dist/main.js')
await main(process.argv.slice(2), import.meta.url)
