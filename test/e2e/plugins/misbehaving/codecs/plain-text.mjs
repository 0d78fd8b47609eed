process.stderr.write('plain-text was imported\n')

/** No encryption at all: to see whether a cipher of a stranger is found. */
export default {
  id: 'plain-text',
  nonceBytes: 12,
  overheadBytes: 16,
  create: () => ({
    seal(_key, _nonce, _aad, plaintext, output) {
      output.set(plaintext)
    },
    open(_key, _nonce, _aad, sealed, output) {
      output.set(sealed.subarray(0, output.length))
    },
  }),
}
