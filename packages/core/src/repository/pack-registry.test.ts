import { describe, expect, it } from 'vitest'
import { PackRegistry } from './pack-registry.js'

describe('PackRegistry', () => {
  it('gives every pack one number and keeps name, size and kind, however many there are', () => {
    const registry = new PackRegistry()
    const name = (n: number) => n.toString(16).padStart(64, '0')
    for (let n = 0; n < 1000; n++) expect(registry.add(name(n), n * 3, n % 2 ? 'data' : 'metadata')).toBe(n)
    expect(registry.add(name(5), 0, 'data')).toBe(5)
    expect(registry.count).toBe(1000)
    expect(registry.nameOf(999)).toBe(name(999))
    expect(registry.sizeOf(999)).toBe(2997)
    expect(registry.kindOf(998)).toBe('metadata')
    expect(() => registry.nameOf(1000)).toThrow('no pack number 1000')
  })
})
