// A backup to a local destination and to one on a server that says nothing any more: what waits for it must not lie in memory.
import { randomFillSync } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { measure } from '../measure.mjs'
import { line } from './figures.mjs'
import { startOpenSsh, startProxy } from './servers.mjs'
import { bkp, secret } from './tools.mjs'

const wantedMiB = 500
const notEverywhere = 4
const stallAfterBytes = 20 * 2 ** 20

export async function stalled({ work, mib }) {
  const source = join(work, `random-large-${mib}`)
  mkdirSync(source, { recursive: true })
  for (let n = 0; n * 64 < mib; n++) {
    const path = join(source, `file-${n}`)
    if (!existsSync(path)) writeFileSync(path, randomFillSync(Buffer.allocUnsafe(64 * 2 ** 20)))
  }
  const server = await startOpenSsh()
  const proxy = await startProxy(server.port)
  try {
    const local = join(work, 'stalled-local')
    const sshConfig = join(server.folder, 'ssh_config')
    writeFileSync(sshConfig, '')
    const query = new URLSearchParams({
      privateKey: server.privateKey,
      knownHosts: join(work, 'stalled-known-hosts'),
      acceptNewHostKey: 'true',
      sshConfig,
      agent: 'none',
      deadAfterSeconds: '15',
    })
    const far = `sftp://${server.user}@127.0.0.1:${proxy.port}${join(server.folder, 'bench-stalled')}?${query}`
    const env = { BKP_PASSWORD: secret, BKP_CACHE_DIR: join(work, 'cache-stalled'), XDG_CONFIG_HOME: '/nonexistent' }
    const run = (accept, ...args) =>
      measure({ program: process.execPath, args: [bkp, ...args, '--to', local, '--to', far], env, accept })
    await run([0], 'init')
    console.log(`\nStalled: ${mib} MiB of random bytes to a disk, and to an SFTP server that says nothing after 20 MiB`)
    const passed = proxy.passed(stallAfterBytes).then(() => proxy.stall())
    const figures = await run([0, notEverywhere], 'backup', source)
    await passed
    const snapshots = readdirSync(join(local, 'snapshots')).length
    console.log(
      `backup ${line(figures)}, exit code ${figures.code} (wanted: ${notEverywhere}), snapshots on the disk: ${snapshots}`,
    )
    console.log(`peak memory ${figures.peakMiB.toFixed(0)} MiB (wanted: below ${wantedMiB})`)
    return [{ part: 'stalled', ...figures, snapshots }]
  } finally {
    proxy.flow()
    await proxy.stop()
    await server.stop()
    for (const name of ['stalled-local', 'stalled-known-hosts', 'cache-stalled'])
      rmSync(join(work, name), { recursive: true, force: true })
  }
}
