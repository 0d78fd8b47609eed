// Incompressible data to a server on loopback and back: bkp against restic, and against rclone copy, which does nothing to the
// bytes and so is the ceiling.
import { spawnSync } from 'node:child_process'
import { randomFillSync } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { measure } from '../measure.mjs'
import { line, lowest, median, ratios, turned } from './figures.mjs'
import { startOpenSsh, startRadosgw } from './servers.mjs'
import { toolsFor } from './tools.mjs'

const fileMiB = 10

/** Random files, read once so that nobody waits for the disk. */
export function randomFiles(folder, mib) {
  mkdirSync(folder, { recursive: true })
  for (let n = 0; n * fileMiB < mib; n++) {
    const path = join(folder, `file-${n}`)
    if (!existsSync(path)) writeFileSync(path, randomFillSync(Buffer.allocUnsafe(fileMiB * 2 ** 20)))
    readFileSync(path)
  }
  return folder
}

export async function throughSftp(options) {
  const server = await startOpenSsh()
  try {
    const { port, privateKey, knownHosts, folder } = server
    const below = (name) => join(folder, `bench-${name}`)
    const ssh = `ssh -p ${port} -i ${privateKey} -o UserKnownHostsFile=${knownHosts} -o IdentitiesOnly=yes ${server.user}@127.0.0.1 -s sftp`
    const sshConfig = join(folder, 'ssh_config')
    writeFileSync(sshConfig, '')
    const query = new URLSearchParams({ privateKey, knownHosts, sshConfig, agent: 'none' })
    const places = {
      bkp: { url: `${server.url(below('bkp'))}?${query}`, env: {} },
      restic: { url: `sftp:${server.user}@127.0.0.1:${below('restic')}`, args: ['-o', `sftp.command=${ssh}`], env: {} },
      rclone: {
        remote: `:sftp,host=127.0.0.1,port=${port},user=${server.user},key_file="${privateKey}",known_hosts_file="${knownHosts}",shell_type=none,disable_hashcheck:${below('rclone')}`,
        env: {},
      },
    }
    const empty = async (name) => rmSync(below(name), { recursive: true, force: true })
    return await compare('sftp', places, empty, options)
  } finally {
    await server.stop()
  }
}

export async function throughS3(options) {
  const server = await startRadosgw()
  try {
    const { accessKeyId, secretAccessKey } = server.owner
    // Without TLS nobody needs it, and rclone cannot load one.
    const env = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_CA_BUNDLE: '' }
    const bucket = await server.buckets.makeBucket()
    const { host } = new URL(server.endpoint)
    const places = {
      bkp: { url: `s3://${bucket}/bkp?endpoint=${server.endpoint}`, env },
      restic: { url: `s3:http://${host}/${bucket}/restic`, args: [], env },
      rclone: {
        remote: `:s3,provider=Ceph,env_auth,force_path_style,endpoint="${server.endpoint}":${bucket}/rclone`,
        env,
      },
    }
    return await compare('s3', places, (name) => server.buckets.empty(bucket, `${name}/`), options)
  } finally {
    server.buckets.close()
    await server.stop()
  }
}

async function compare(part, places, empty, { work, rounds, mib }) {
  const source = randomFiles(join(work, `random-${mib}`), mib)
  const tools = toolsFor(places, work)
  console.log(`\n${part}: ${mib} MiB in random files of ${fileMiB} MiB, to a server on loopback and back`)
  const results = []
  for (let round = 0; round < rounds; round++) {
    for (const tool of turned(tools, round)) {
      const target = join(work, 'restored')
      const { init, ...phases } = tool.commands(tool.place, source, target)
      // What a run that was broken off has left is not this one's.
      for (const left of [target, join(work, `cache-${tool.name}`)]) rmSync(left, { recursive: true, force: true })
      mkdirSync(target)
      if (init !== undefined) await measure(init)
      for (const [phase, command] of Object.entries(phases)) {
        spawnSync('sync')
        const figures = await measure(command)
        results.push({ part, round, tool: tool.name, phase, ...figures })
        const rate = (mib / figures.wallSeconds).toFixed(0).padStart(4)
        console.log(`round ${round + 1}  ${phase.padEnd(7)} ${tool.name.padEnd(6)} ${line(figures)} ${rate} MiB/s`)
      }
      rmSync(target, { recursive: true })
      await empty(tool.name)
      rmSync(join(work, `cache-${tool.name}`), { recursive: true, force: true })
    }
  }
  for (const phase of ['backup', 'restore']) tell(part, phase, results, mib)
  return results
}

function tell(part, phase, results, mib) {
  const of = (name, figure = 'wallSeconds') =>
    results.filter(({ tool, phase: done }) => tool === name && done === phase).map((one) => one[figure])
  for (const name of ['bkp', 'restic', 'rclone']) {
    if (of(name).length === 0) continue
    const rates = `${(mib / median(of(name))).toFixed(0)} MiB/s median, ${(mib / lowest(of(name))).toFixed(0)} best`
    console.log(`${part} ${phase}  ${name.padEnd(6)} ${rates}, ${median(of(name, 'cpuSeconds')).toFixed(2)} s cpu`)
  }
  // Of rates, so that more is better in both.
  if (of('restic').length > 0)
    console.log(`${part} ${phase}  rate of bkp to restic: ${ratios(of('restic'), of('bkp'))} (wanted: at least 1)`)
  if (of('rclone').length > 0)
    console.log(`${part} ${phase}  rate of bkp to rclone: ${ratios(of('rclone'), of('bkp'))} (wanted: at least 0.7)`)
}
