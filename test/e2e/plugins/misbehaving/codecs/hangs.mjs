export default {
  id: 'bad-hangs',
  create: () => ({
    compress() {
      for (;;) Math.random()
    },
    decompress() {},
  }),
}
