import { createDecipheriv, createHash, createHmac, hkdfSync } from 'node:crypto'
import * as zlib from 'node:zlib'
import { argon2id as argon2idWasm, createBLAKE3 } from 'hash-wasm'
import { damaged, Unsupported } from './bytes.mjs'

export const sha256 = (...parts) => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

export const hmacSha256 = (key, text) => createHmac('sha256', key).update(text).digest()

export const hkdf = (ikm, salt, info, length = 32) => Buffer.from(hkdfSync('sha256', ikm, salt, info, length))

export const argon2id = async (password, salt, { passes, memoryKiB, lanes }) =>
  Buffer.from(
    await argon2idWasm({
      password,
      salt,
      iterations: passes,
      memorySize: memoryKiB,
      parallelism: lanes,
      hashLength: 32,
      outputType: 'binary',
    }),
  )

/** A function that computes ids of blobs: BLAKE3 in keyed mode. */
export async function blake3Under(key) {
  const hasher = await createBLAKE3(256, key)
  return (...parts) => {
    hasher.init()
    for (const part of parts) hasher.update(part)
    return hasher.digest('hex')
  }
}

function openWith(algorithm, key, nonce, aad, sealed, where) {
  if (sealed.length < 16) damaged(where, 'is shorter than an authentication tag')
  const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength: 16 })
  const body = sealed.subarray(0, sealed.length - 16)
  decipher.setAAD(aad, { plaintextLength: body.length })
  decipher.setAuthTag(sealed.subarray(sealed.length - 16))
  const plain = decipher.update(body)
  try {
    return Buffer.concat([plain, decipher.final()])
  } catch {
    return damaged(where, 'does not authenticate')
  }
}

export const openAesGcm = (key, nonce, aad, sealed, where) => openWith('aes-256-gcm', key, nonce, aad, sealed, where)

const rotate = (value, bits) => (value << bits) | (value >>> (32 - bits))

function quarterRound(x, a, b, c, d) {
  x[a] = x[a] + x[b]
  x[d] = rotate(x[d] ^ x[a], 16)
  x[c] = x[c] + x[d]
  x[b] = rotate(x[b] ^ x[c], 12)
  x[a] = x[a] + x[b]
  x[d] = rotate(x[d] ^ x[a], 8)
  x[c] = x[c] + x[d]
  x[b] = rotate(x[b] ^ x[c], 7)
}

/** draft-irtf-cfrg-xchacha-03, section 2.2. */
function hchacha20(key, nonce16) {
  const x = new Uint32Array(16)
  x.set([0x61707865, 0x3320646e, 0x79622d32, 0x6b206574])
  for (let i = 0; i < 8; i++) x[4 + i] = key.readUInt32LE(4 * i)
  for (let i = 0; i < 4; i++) x[12 + i] = nonce16.readUInt32LE(4 * i)
  for (let round = 0; round < 10; round++) {
    for (let i = 0; i < 4; i++) quarterRound(x, i, 4 + i, 8 + i, 12 + i)
    for (let i = 0; i < 4; i++) quarterRound(x, i, 4 + ((i + 1) % 4), 8 + ((i + 2) % 4), 12 + ((i + 3) % 4))
  }
  const subkey = Buffer.alloc(32)
  for (let i = 0; i < 4; i++) {
    subkey.writeUInt32LE(x[i], 4 * i)
    subkey.writeUInt32LE(x[12 + i], 16 + 4 * i)
  }
  return subkey
}

/** draft-irtf-cfrg-xchacha-03, section 2.3: the rest is ChaCha20-Poly1305 with the last 8 bytes of the nonce. */
function openXChaCha(key, nonce, aad, sealed, where) {
  const inner = Buffer.concat([Buffer.alloc(4), nonce.subarray(16)])
  return openWith('chacha20-poly1305', hchacha20(key, nonce.subarray(0, 16)), inner, aad, sealed, where)
}

const CIPHERS = {
  'aes-256-gcm': { nonceBytes: 12, overheadBytes: 16, open: openAesGcm },
  'xchacha20-poly1305': { nonceBytes: 24, overheadBytes: 16, open: openXChaCha },
}

export function cipherNamed(id) {
  if (!Object.hasOwn(CIPHERS, id)) throw new Unsupported(`cipher ${id}`)
  return CIPHERS[id]
}

async function zstd() {
  if (zlib.zstdDecompressSync) return (bytes, maxOutputLength) => zlib.zstdDecompressSync(bytes, { maxOutputLength })
  const { decompress } = await import('zstd-napi')
  return (bytes) => decompress(bytes)
}

let zstdLoaded

/** Expands a blob to exactly `length` bytes. */
export async function expand(compression, bytes, length, where) {
  let plain
  try {
    if (compression === 'none') plain = bytes
    else if (compression === 'deflate') plain = zlib.inflateRawSync(bytes, { maxOutputLength: length })
    else if (compression === 'zstd') {
      zstdLoaded ??= zstd()
      plain = (await zstdLoaded)(bytes, length)
    }
  } catch (error) {
    return damaged(where, `${compression}: ${error.message}`)
  }
  if (plain === undefined) throw new Unsupported(`compression ${compression}`)
  if (plain.length !== length) damaged(where, `${plain.length} bytes instead of ${length} after ${compression}`)
  return plain
}
