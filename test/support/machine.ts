import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const tools = ['rsync', 'getfattr', 'getfacl', 'setpriv', 'mkfs.ext4', 'filefrag', 'mknod', 'age', 'script']
const succeeds = (command: string, ...args: readonly string[]) => spawnSync(command, args).status === 0

function reasonAgainst(): string | undefined {
  if (process.getuid?.() !== 0) return 'root'
  const missing = tools.filter((tool) => !succeeds('sh', '-c', 'command -v "$1"', 'sh', tool))
  if (missing.length > 0) return missing.join(', ')
  const folder = mkdtempSync(join(tmpdir(), 'bkp-machine-'))
  try {
    if (!succeeds('mount', '-t', 'tmpfs', 'bkp-test', folder)) return 'leave to mount'
    const mayMakeDevices = succeeds('mknod', join(folder, 'null'), 'c', '1', '3')
    succeeds('umount', folder)
    return mayMakeDevices ? undefined : 'leave to make devices'
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const reason = reasonAgainst()
if (reason !== undefined && process.env.BKP_TEST_ALL === '1')
  throw new Error(`All tests were asked for (BKP_TEST_ALL=1), and some need ${reason}`)

/**
 * Whether tests may mount disks, make devices, drop privileges and compare with rsync. Where they may not, `npm test` has
 * said so; CI sets BKP_TEST_ALL=1, so that nothing stays away there.
 */
export const ownsMachine = reason === undefined
