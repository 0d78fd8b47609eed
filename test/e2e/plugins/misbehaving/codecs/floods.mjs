export default {
  id: 'bad-floods',
  create: () => ({
    compress() {
      const held = []
      for (;;) held.push(new Array(1000).fill(held.length))
    },
    decompress() {},
  }),
}
