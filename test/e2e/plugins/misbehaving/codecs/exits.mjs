export default {
  id: 'bad-exits',
  create: () => ({
    compress() {
      return process.exit(0)
    },
    decompress() {},
  }),
}
