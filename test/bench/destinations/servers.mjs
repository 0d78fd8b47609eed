// The servers of the tests, for a bench that runs without a compiler of its own: their starters are bundled when it begins.
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const folder = mkdtempSync(join(tmpdir(), 'bkp-bench-servers-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

async function load(path) {
  const entry = fileURLToPath(new URL(`../../../${path}`, import.meta.url))
  const outfile = join(folder, `${path.replaceAll('/', '-')}.cjs`)
  await build({
    entryPoints: [entry],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    outfile,
    logLevel: 'error',
    // Modules of one folder find their scripts and lists beside them.
    define: { 'import.meta.url': JSON.stringify(pathToFileURL(entry).href) },
  })
  return createRequire(import.meta.url)(outfile)
}

export const hasServer = async (name) => (await load('test/servers/support/servers.ts')).hasServer(name)
export const startOpenSsh = async (options) => (await load('test/servers/support/openssh.ts')).startOpenSsh(options)
export const startProxy = async (port) => (await load('test/servers/support/proxy.ts')).startProxy(port)

/** Ceph's gateway, and someone who makes and empties buckets. */
export async function startRadosgw() {
  const server = await (await load('test/servers/support/radosgw.ts')).startRadosgw()
  const { BucketOwner } = await load('plugins/storage-s3/src/testing/bucket-owner.ts')
  return { ...server, buckets: new BucketOwner(server.endpoint, server.owner) }
}
