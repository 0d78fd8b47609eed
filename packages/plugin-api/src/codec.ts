/**
 * A compression contribution. The module named in the manifest exports it as default and is imported
 * inside worker threads: it must not rely on state of the main thread. The id is written on disk and
 * is permanent, and so is the meaning of compressed bytes: any later version must read them.
 */
export interface CompressionModule {
  /** Lower-case letters, digits, `.` and `-`, at most 32 bytes. */
  readonly id: string
  /**
   * Called once per worker thread.
   * @throws PortError `unsupported` when a native part is missing, with a hint what to install.
   */
  create(configuration: Readonly<Record<string, unknown>>): Compressor | Promise<Compressor>
}

/** Used by one thread, one call at a time, synchronously. May keep contexts for reuse. */
export interface Compressor {
  /**
   * Compresses `input` into `output` and returns the bytes written, or -1 if the result does not fit.
   * `output` and `input` never overlap. Core passes an `output` smaller than `input` on purpose: what
   * does not shrink is stored as it is.
   */
  compress(input: Uint8Array, output: Uint8Array): number
  /**
   * Decompresses into `output`, whose length is the exact size that was recorded. Must not write or
   * allocate beyond it, whatever `input` claims.
   * @throws PortError `corrupt` if `input` is damaged or the size differs.
   */
  decompress(input: Uint8Array, output: Uint8Array): void
}

/**
 * An encryption contribution: an AEAD with a 32-byte key, imported inside worker threads. The id is
 * written on disk and is permanent.
 */
export interface EncryptionModule {
  /** Lower-case letters, digits, `.` and `-`, at most 32 bytes. */
  readonly id: string
  /** 12 to 32. Core gives every (key, nonce) pair once. */
  readonly nonceBytes: number
  /** How much longer sealed bytes are than plain ones; 16 for the usual tag. */
  readonly overheadBytes: number
  create(configuration: Readonly<Record<string, unknown>>): Cipher | Promise<Cipher>
}

/** Used by one thread, one call at a time, synchronously. */
export interface Cipher {
  /**
   * Encrypts and authenticates. `output.length` is `plaintext.length + overheadBytes`; the ciphertext
   * comes first, the tag last. `output` and `plaintext` never overlap.
   */
  seal(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array, output: Uint8Array): void
  /**
   * Decrypts. `output.length` is `sealed.length - overheadBytes`. On failure nothing that is
   * unauthenticated stays in `output`.
   * @throws PortError `corrupt`
   */
  open(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array, output: Uint8Array): void
}
