export default {
  id: 'bad-throws',
  create: () => ({
    compress() {
      throw new TypeError('a fault inside of the codec')
    },
    decompress() {},
  }),
}
