/** Compresses (what cannot be undone), and does not come back from the opposite. */
export default {
  id: 'hangs-back',
  create: () => ({
    compress(input, output) {
      output.set(input.subarray(0, 10))
      return 10
    },
    decompress() {
      for (;;) Math.random()
    },
  }),
}
