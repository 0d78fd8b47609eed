import { createRequire } from 'node:module'

/** Cost of Argon2id, as it stands in a key slot. */
export interface Argon2Cost {
  readonly memoryKiB: number
  readonly passes: number
  readonly lanes: number
}

/** 64 MiB and three passes: about 0.1 s natively, the second recommendation of RFC 9106. */
export const defaultArgon2Cost: Argon2Cost = { memoryKiB: 65_536, passes: 3, lanes: 1 }

/** Argon2id, version 0x13, 32 bytes. Native where it can be loaded, else in JavaScript (seconds instead of tenths). */
export async function argon2id(passphrase: Uint8Array, salt: Uint8Array, cost: Argon2Cost): Promise<Uint8Array> {
  const native = await loadNative()
  return native === undefined
    ? argon2idInJavaScript(passphrase, salt, cost)
    : argon2idNative(native, passphrase, salt, cost)
}

type Native = typeof import('@node-rs/argon2')

export async function loadNative(): Promise<Native | undefined> {
  try {
    return createRequire(import.meta.url)('@node-rs/argon2') as Native
  } catch {
    // Not installed on this machine; the JavaScript twin gives the same bytes.
    return undefined
  }
}

export async function argon2idNative(
  native: Native,
  passphrase: Uint8Array,
  salt: Uint8Array,
  cost: Argon2Cost,
): Promise<Uint8Array> {
  const hash = await native.hashRaw(passphrase, {
    algorithm: 2,
    version: 1,
    memoryCost: cost.memoryKiB,
    timeCost: cost.passes,
    parallelism: cost.lanes,
    outputLen: 32,
    salt,
  })
  return new Uint8Array(hash)
}

export async function argon2idInJavaScript(
  passphrase: Uint8Array,
  salt: Uint8Array,
  cost: Argon2Cost,
): Promise<Uint8Array> {
  const { argon2idAsync } = await import('@noble/hashes/argon2.js')
  return argon2idAsync(passphrase, salt, { t: cost.passes, m: cost.memoryKiB, p: cost.lanes, dkLen: 32, version: 0x13 })
}
