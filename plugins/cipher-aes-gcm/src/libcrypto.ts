import { createRequire } from 'node:module'

type Pointer = unknown

/** The calls of OpenSSL's libcrypto (man EVP_EncryptInit) that are needed here. They return 1 when all is well. */
export interface Libcrypto {
  newContext(): Pointer
  aes256Gcm(): Pointer
  encryptInit(context: Pointer, type: Pointer, engine: null, key: Uint8Array, nonce: Uint8Array): number
  encryptUpdate(
    context: Pointer,
    output: Uint8Array | null,
    length: Int32Array,
    input: Uint8Array,
    size: number,
  ): number
  encryptFinal(context: Pointer, output: Uint8Array, length: Int32Array): number
  decryptInit(context: Pointer, type: Pointer, engine: null, key: Uint8Array, nonce: Uint8Array): number
  decryptUpdate(
    context: Pointer,
    output: Uint8Array | null,
    length: Int32Array,
    input: Uint8Array,
    size: number,
  ): number
  decryptFinal(context: Pointer, output: Uint8Array, length: Int32Array): number
  control(context: Pointer, command: number, size: number, value: Uint8Array): number
}

interface Koffi {
  load(path: null): { func(declaration: string): (...args: unknown[]) => unknown }
}

/**
 * The OpenSSL that is part of the running Node, through koffi. Undefined where koffi is not installed, or where this
 * Node does not export it.
 */
export function loadLibcrypto(): Libcrypto | undefined {
  if (process.env.BKP_NO_KOFFI === '1') return undefined
  let koffi: Koffi
  try {
    koffi = createRequire(import.meta.url)('koffi') as Koffi
  } catch {
    // Not installed: node:crypto does the work.
    return undefined
  }
  try {
    return bind(koffi)
  } catch {
    // A Node that is built otherwise: its symbols are not to be found.
    return undefined
  }
}

function bind(koffi: Koffi): Libcrypto {
  const library = koffi.load(null)
  const call = <F>(declaration: string) => library.func(declaration) as F
  const init = 'void *context, void *type, void *engine, const uint8_t *key, const uint8_t *nonce'
  const update = 'void *context, uint8_t *output, int *length, const uint8_t *input, int size'
  const final = 'void *context, uint8_t *output, int *length'
  return {
    newContext: call('void *EVP_CIPHER_CTX_new()'),
    aes256Gcm: call('void *EVP_aes_256_gcm()'),
    encryptInit: call(`int EVP_EncryptInit_ex(${init})`),
    encryptUpdate: call(`int EVP_EncryptUpdate(${update})`),
    encryptFinal: call(`int EVP_EncryptFinal_ex(${final})`),
    decryptInit: call(`int EVP_DecryptInit_ex(${init})`),
    decryptUpdate: call(`int EVP_DecryptUpdate(${update})`),
    decryptFinal: call(`int EVP_DecryptFinal_ex(${final})`),
    control: call('int EVP_CIPHER_CTX_ctrl(void *context, int command, int size, uint8_t *value)'),
  }
}
