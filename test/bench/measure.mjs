// Wall time, processor time and peak memory of a whole process with all its threads and children.
import { spawn } from 'node:child_process'
import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const time = '/usr/bin/time'

/**
 * Runs a command to its end.
 * @param accept exit codes that are no failure
 * @throws when it fails
 */
export async function measure({ program, args, env = {}, cwd, accept = [0] }) {
  if (!existsSync(time)) throw new Error('The bench reads processor time from /usr/bin/time (Debian package time)')
  const folder = mkdtempSync(join(tmpdir(), 'bkp-measure-'))
  const report = join(folder, 'time')
  const started = performance.now()
  const { code, stderr } = await new Promise((resolve, reject) => {
    const child = spawn(time, ['-o', report, '-f', '%U %S %M', program, ...args], {
      env: { ...process.env, ...env },
      cwd,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let stderr = ''
    child.stderr.on('data', (text) => {
      stderr += text
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stderr }))
  })
  const wallSeconds = (performance.now() - started) / 1000
  const lines = readFileSync(report, 'utf8').trim().split('\n')
  rmSync(folder, { recursive: true })
  if (!accept.includes(code))
    throw new Error(`${program} ${args.join(' ')} ended with ${code}: ${stderr.slice(0, 2000)}`)
  const [user, system, kibibytes] = lines.at(-1).split(' ').map(Number)
  return { code, wallSeconds, cpuSeconds: user + system, peakMiB: kibibytes / 1024 }
}

/** Bytes of all files below a folder. */
export function sizeOf(folder) {
  let bytes = 0
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) bytes += lstatSync(join(entry.parentPath ?? entry.path, entry.name)).size
  }
  return bytes
}
