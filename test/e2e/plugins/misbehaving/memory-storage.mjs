import { PortError } from '@bkp/plugin-api'

const places = new Map()

/** @param before is called before each call */
export function memoryStorage(url, before, isLocal = false) {
  const objects = places.get(url) ?? new Map()
  places.set(url, objects)
  const found = (key) => {
    const bytes = objects.get(key)
    if (bytes === undefined) throw new PortError('not-found', `There is no ${key}`)
    return bytes
  }
  return {
    capabilities: {
      conditionalCreate: true,
      listing: 'strong',
      canRemove: true,
      maxObjectBytes: 2 ** 30,
      concurrency: 2,
      isLocal,
      objectLock: false,
    },
    async put(key, data, { ifAbsent } = {}) {
      await before('put', key)
      if (ifAbsent && objects.has(key)) throw new PortError('already-exists', `There is a ${key}`)
      objects.set(key, data.slice())
    },
    async get(key, { offset = 0, length } = {}) {
      await before('get', key)
      const bytes = found(key)
      return bytes.slice(offset, length === undefined ? undefined : offset + length)
    },
    async stat(key) {
      return { key, sizeBytes: found(key).length }
    },
    async *list(prefix) {
      await before('list', prefix)
      for (const [key, bytes] of objects) if (key.startsWith(prefix)) yield { key, sizeBytes: bytes.length }
    },
    async remove(key) {
      objects.delete(key)
    },
    async close() {},
  }
}
