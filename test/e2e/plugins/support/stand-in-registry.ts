import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Packed } from './demo-plugin.js'

export interface StandInRegistry {
  readonly url: string
  publish(name: string, version: string, packed: Packed, published: string): void
  close(): Promise<void>
}

/** Stands in for a registry of npm: serves packuments and tarballs, knows no logins and no signatures. */
export async function startRegistry(): Promise<StandInRegistry> {
  const versions = new Map<string, { readonly packed: Packed; readonly published: string }>()
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '')
    const tarball = /^\/(.+)\/-\/(.+)\.tgz$/.exec(path)
    if (tarball !== null) {
      const found = versions.get(`${tarball[1]}@${tarball[2]}`)
      response.writeHead(found === undefined ? 404 : 200).end(found && readFileSync(found.packed.path))
      return
    }
    const name = path.slice(1)
    const own = [...versions].filter(([id]) => id.startsWith(`${name}@`))
    if (own.length === 0) {
      response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":"not found"}')
      return
    }
    const entries = own.map(([id, { packed, published }]) => {
      const version = id.slice(name.length + 1)
      const dist = { integrity: packed.integrity, tarball: `${url}/${name}/-/${version}.tgz` }
      return {
        version,
        published,
        manifest: { ...packed.manifest, name, version, dist, _npmUser: { name: 'ann', email: 'ann@demo.example' } },
      }
    })
    response.writeHead(200, { 'content-type': 'application/json' }).end(
      JSON.stringify({
        name,
        'dist-tags': { latest: entries.at(-1)?.version },
        versions: Object.fromEntries(entries.map(({ version, manifest }) => [version, manifest])),
        time: Object.fromEntries(entries.map(({ version, published }) => [version, published])),
      }),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    publish: (name, version, packed, published) => void versions.set(`${name}@${version}`, { packed, published }),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}
