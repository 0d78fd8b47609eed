#!/usr/bin/env node
import module from 'node:module'

// Compiled code is kept between runs where Node can do that (22.8 and newer).
module.enableCompileCache?.()
const { main } = await import('../dist/main.js')
await main(process.argv.slice(2), import.meta.url)
