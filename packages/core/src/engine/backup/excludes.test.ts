import { describe, expect, it } from 'vitest'
import { Excludes } from './excludes.js'

describe('Excludes', () => {
  it('follows gitignore: names at any depth, anchored paths, folders, later exceptions', () => {
    const excludes = new Excludes(['*.tmp', '/build', 'node_modules/', 'logs/*', '!logs/keep.log'])
    expect(excludes.matches('a/b.tmp', false)).toBe(true)
    expect(excludes.matches('build', true)).toBe(true)
    expect(excludes.matches('a/build', true)).toBe(false)
    expect(excludes.matches('a/node_modules', true)).toBe(true)
    expect(excludes.matches('node_modules', false)).toBe(false)
    expect(excludes.matches('logs/x.log', false)).toBe(true)
    expect(excludes.matches('logs/keep.log', false)).toBe(false)
  })

  it('matches nothing without patterns, and never the root itself', () => {
    expect(new Excludes([]).matches('a', false)).toBe(false)
    expect(new Excludes(['*']).matches('', true)).toBe(false)
  })

  it('keeps its answers over many paths', () => {
    const excludes = new Excludes(['*.tmp'])
    for (let n = 0; n < 45_000; n++) excludes.matches(`d/${n}`, false)
    expect(excludes.matches('x.tmp', false)).toBe(true)
  })
})
