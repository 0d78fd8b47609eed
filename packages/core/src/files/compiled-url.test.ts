import { expect, it } from 'vitest'
import { compiledUrl } from './compiled-url.js'

it.each([
  ['file:///app/core/dist/bundle/chunk-1.js', 'file:///app/core/dist/bundle/main.js'],
  ['file:///app/core/dist/engine/worker/threads.js', 'file:///app/core/dist/engine/worker/main.js'],
  ['file:///app/core/src/engine/worker/threads.ts', 'file:///app/core/dist/engine/worker/main.js'],
  ['file:///usr/src/app/core/src/engine/worker/threads.ts', 'file:///usr/src/app/core/dist/engine/worker/main.js'],
])('beside %s lies %s', (here, expected) => {
  expect(compiledUrl(here, 'main.js').href).toBe(expected)
})
