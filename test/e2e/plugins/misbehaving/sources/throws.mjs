export default {
  id: 'bad-source',
  openSource() {
    throw new TypeError('a fault inside of the source')
  },
}
