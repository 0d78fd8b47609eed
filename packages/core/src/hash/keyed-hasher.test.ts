import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createKeyedHasher, type KeyedHasher } from './keyed-hasher.js'
import { createNativeHasher, loadNative, type NativeBlake3 } from './native-hasher.js'
import { createWebAssemblyHasher } from './webassembly-hasher.js'

const vectorKey = Buffer.from('whats the Elvish word for friend')

// BLAKE3's published test vectors (test_vectors.json of the reference implementation), keyed_hash, first 32 bytes: the input
// is 0, 1, … 250, 0, 1, …. Its first byte is therefore the type byte 0 and the rest is the data.
const vectors: readonly (readonly [inputLength: number, keyedHash: string])[] = [
  [1, '6d7878dfff2f485635d39013278ae14f1454b8c0a3a2d34bc1ab38228a80c95b'],
  [1023, 'c951ecdf03288d0fcc96ee3413563d8a6d3589547f2c2fb36d9786470f1b9d6e'],
  [1024, '75c46f6f3d9eb4f55ecaaee480db732e6c2105546f1e675003687c31719c7ba4'],
  [1025, '357dc55de0c7e382c900fd6e320acc04146be01db6a8ce7210b7189bd664ea69'],
  [2048, '879cf1fa2ea0e79126cb1063617a05b6ad9d0b696d0d757cf053439f60a99dd1'],
  [2049, '9f29700902f7c86e514ddc4df1e3049f258b2472b6dd5267f61bf13983b78dd5'],
  [3073, '68dede9bef00ba89e43f31a6825f4cf433389fedae75c04ee9f0cf16a427c95a'],
  [8193, '954a2a75420c8d6547e3ba5b98d963e6fa6491addc8c023189cc519821b4a1f5'],
  [16384, '9e9fc4eb7cf081ea7c47d1807790ed211bfec56aa25bb7037784c13c4b707b0d'],
  [31744, 'efa53b389ab67c593dba624d898d0f7353ab99e4ac9d42302ee64cbf9939a419'],
  [102400, '1c35d1a5811083fd7119f5d5d1ba027b4d01c0c6c49fb6ff2cf75393ea5db4a7'],
]

const makers: readonly (readonly [string, (key: Uint8Array) => Promise<KeyedHasher>])[] = [
  ['native', async (key) => createNativeHasher(await loadNative(), key)],
  ['webassembly', createWebAssemblyHasher],
]

function hexDigest(hasher: KeyedHasher, type: number, data: Uint8Array): string {
  const out = new Uint8Array(32)
  hasher.digest(type, data, out)
  return Buffer.from(out).toString('hex')
}

describe.each(makers)('keyed hasher, %s', (name, make) => {
  it('says what it is', async () => {
    expect((await make(vectorKey)).implementation).toBe(name)
  })

  it.each(vectors)('agrees with the published vector of %i bytes', async (inputLength, expected) => {
    const data = Uint8Array.from({ length: inputLength - 1 }, (_, i) => (i + 1) % 251)
    expect(hexDigest(await make(vectorKey), 0, data)).toBe(expected)
  })

  it('tells the types apart', async () => {
    const hasher = await make(vectorKey)
    const data = Uint8Array.of(1, 2, 3)
    expect(new Set([0, 1, 2].map((type) => hexDigest(hasher, type, data))).size).toBe(3)
  })

  it('hashes the type as one byte', async () => {
    const hasher = await make(vectorKey)
    const { Blake3Hasher } = await loadNative()
    const whole = Blake3Hasher.newKeyed(vectorKey)
      .update(Uint8Array.of(2, 9, 8, 7))
      .digest('hex')
    expect(hexDigest(hasher, 2, Uint8Array.of(9, 8, 7))).toBe(whole)
  })

  it('keeps its key when the caller wipes his', async () => {
    const key = Uint8Array.from(vectorKey)
    const hasher = await make(key)
    key.fill(0)
    expect(hexDigest(hasher, 0, new Uint8Array(0))).toBe(vectors[0]?.[1])
  })

  it('writes at the offset and nowhere else', async () => {
    const out = new Uint8Array(40).fill(0xee)
    ;(await make(vectorKey)).digest(0, new Uint8Array(0), out, 5)
    expect(Buffer.from(out).toString('hex')).toBe(`eeeeeeeeee${vectors[0]?.[1]}eeeeee`)
  })

  it('refuses an output without room and is usable afterwards', async () => {
    const hasher = await make(vectorKey)
    const nothing = new Uint8Array(0)
    expect(() => hasher.digest(0, nothing, new Uint8Array(31))).toThrow(RangeError)
    expect(() => hasher.digest(0, nothing, new Uint8Array(40), 9)).toThrow(RangeError)
    expect(() => hasher.digest(0, nothing, new Uint8Array(40), -1)).toThrow(RangeError)
    expect(hexDigest(hasher, 0, nothing)).toBe(vectors[0]?.[1])
  })

  it('refuses a type that the format does not have', async () => {
    const hasher = await make(vectorKey)
    expect(() => hexDigest(hasher, 3, new Uint8Array(1))).toThrow('no blob type 3')
    expect(() => hexDigest(hasher, 0.5, new Uint8Array(1))).toThrow('no blob type 0.5')
  })

  it('refuses a key of another length', async () => {
    await expect(make(new Uint8Array(31))).rejects.toThrow('32 bytes, not 31')
  })
})

describe('keyed hashers', () => {
  it('give the same bytes for any key and data, wherever the data lie', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.integer({ min: 0, max: 2 }),
        fc.uint8Array({ maxLength: 5000, size: 'max' }),
        fc.nat(100),
        async (key, type, data, shift) => {
          const memory = new Uint8Array(shift + data.length + 10).fill(0x55)
          memory.set(data, shift)
          const view = memory.subarray(shift, shift + data.length)
          const [native, wasm] = await Promise.all(
            makers.map(async ([, make]) => hexDigest(await make(key), type, view)),
          )
          expect(native).toBe(wasm)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('are native where the binary loads', async () => {
    const told: unknown[] = []
    const hasher = await createKeyedHasher(vectorKey, (cause) => told.push(cause))
    expect([hasher.implementation, told]).toEqual(['native', []])
  })

  it('refuse a key of another length before anything is loaded', async () => {
    await expect(createKeyedHasher(new Uint8Array(33))).rejects.toThrow('32 bytes, not 33')
  })

  it('fall back to WebAssembly and say why when the binary is missing', async () => {
    const missing = new Error('Cannot find native binding')
    const told: unknown[] = []
    const load = (): Promise<NativeBlake3> => Promise.reject(missing)
    const hasher = await createKeyedHasher(vectorKey, (cause) => told.push(cause), load)
    expect([hasher.implementation, told]).toEqual(['webassembly', [missing]])
    expect(hexDigest(hasher, 0, new Uint8Array(0))).toBe(vectors[0]?.[1])
  })
})
