export default {
  id: 'bad-hangs',
  create: () => ({
    compress() {
      // V8 of Node 24 takes this for a loop that needs no check whether somebody wants it to end.
      for (;;) new Array(1000).fill(1)
    },
    decompress() {},
  }),
}
