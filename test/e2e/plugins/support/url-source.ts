import type { Packed } from './demo-plugin.js'
import { packModule } from './worker-plugin.js'

/**
 * A source whose paths are URLs, as `web://host.example/docs`: a JSON file of URLs and texts stands for the network. It asks for
 * a password that an environment variable holds, and says that it could restore.
 */
const code = `
import { appendFileSync, readFileSync, statSync } from 'node:fs'
import { PortError } from '@bkp/plugin-api'

const mark = (what) => appendFileSync(process.env.SOURCE_RAN, what + '\\n')
const partsOf = (path) => Buffer.from(path).toString().split('/').filter((part) => part !== '')

class WebSource {
  constructor(file) {
    this.file = file
    this.time = Math.floor(statSync(file).mtimeMs / 1000)
    // web://host/a is /web:/host/a for bkp.
    const pages = Object.entries(JSON.parse(readFileSync(file, 'utf8')))
    this.pages = pages.map(([url, text]) => [url.split('/').filter((part) => part !== ''), Buffer.from(text)])
  }
  entry(parts) {
    const below = this.pages.filter(([page]) => parts.every((part, n) => page[n] === part))
    if (below.length === 0) throw new PortError('not-found', parts.join('/') + ' does not exist')
    const page = below.find(([page]) => page.length === parts.length)
    return {
      kind: page === undefined ? 'directory' : 'file', name: Buffer.from(parts.at(-1) ?? ''),
      mode: page === undefined ? 0o755 : 0o644, uid: 0, gid: 0, mtimeSeconds: this.time, mtimeNanoseconds: 0,
      ctimeSeconds: this.time, ctimeNanoseconds: 0, sizeBytes: page?.[1].length ?? 0,
      inode: 0n, device: 0n, linkCount: 1, deviceMajor: 0, deviceMinor: 0,
    }
  }
  inspect(path) { return this.entry(partsOf(path)) }
  describe() { return {} }
  openFile(path, entry, range) {
    const parts = partsOf(path)
    const [, text] = this.pages.find(([page]) => page.join('/') === parts.join('/'))
    let rest = range === undefined ? text : text.subarray(range.offset, range.offset + range.length)
    mark('read ' + parts.join('/'))
    return {
      extents: undefined,
      sizeBytes: text.length,
      read(into) {
        const piece = rest.subarray(0, into.length)
        into.set(piece)
        rest = rest.subarray(piece.length)
        return piece.length
      },
      close: () => 'stable',
    }
  }
  openDirectory(path) {
    const parts = partsOf(path)
    const names = new Set(this.pages.filter(([page]) => parts.every((part, n) => page[n] === part)).map(([page]) => page[parts.length]))
    const of = (name) => this.entry([...parts, name])
    return {
      self: { ...this.entry(parts), name: new Uint8Array(0) },
      list: () => [...names].map(of),
      describe: () => ({}),
      openFile: (entry, range) => this.openFile([...parts, Buffer.from(entry.name)].join('/'), entry, range),
      close() {},
    }
  }
  close() {}
}

export default {
  id: 'web',
  openSource({ configuration: { file, passwordVariable = 'WEB_PASSWORD' } }) {
    if (process.env[passwordVariable] !== 'open sesame') throw new PortError('auth', 'The password in ' + passwordVariable + ' is wrong')
    return new WebSource(file)
  },
  openTarget() {
    mark('target')
    throw new PortError('unsupported', 'Nothing can be written to the web')
  },
}
`

const configuration = {
  type: 'object',
  properties: {
    file: { type: 'string' },
    passwordVariable: { type: 'string' },
    token: { type: 'string', 'x-bkp-secret': true },
  },
  required: ['file'],
  additionalProperties: false,
}

/** Where the module appends what it does is in `SOURCE_RAN`. */
export function packUrlSource(folder: string): Packed {
  return packModule(folder, {
    name: 'bkp-source-web',
    version: '0.2.0',
    port: 'source',
    id: 'web',
    code,
    configuration,
  })
}
