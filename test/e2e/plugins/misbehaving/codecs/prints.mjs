export default {
  id: 'bad-prints',
  create: () => ({
    compress() {
      console.log('hello from the codec')
      return -1
    },
    decompress() {},
  }),
}
