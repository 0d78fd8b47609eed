import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Storage } from '@bkp/plugin-api'
import { openRcloneStorage } from '../open-storage.js'

export const log = { debug: () => undefined, info: () => undefined, warn: () => undefined }

/** A folder that rclone reaches as the remote `disk`, and an rclone that leaves its process id there. */
export async function makePlace() {
  const folder = await mkdtemp(join(tmpdir(), 'bkp-rclone-test-'))
  const data = join(folder, 'data')
  const program = join(folder, 'rclone')
  const pidFile = join(folder, 'pid')
  await mkdir(data)
  await writeFile(join(folder, 'rclone.conf'), '[disk]\ntype = local\n')
  await writeFile(program, `#!/bin/sh\necho $$ > '${pidFile}'\nexec rclone "$@"\n`)
  await chmod(program, 0o755)
  const url = `rclone://disk/${data}/some%20where/repository`
  const configuration = { program, config: join(folder, 'rclone.conf') }
  return {
    url,
    configuration,
    /** What the storage stores in. */
    root: join(data, 'some where/repository'),
    open: (intent: 'create' | 'open'): Promise<Storage> => openRcloneStorage({ url, configuration, intent, log }),
    /** Of the rclone that was started last. */
    pid: async () => Number(await readFile(pidFile, 'utf8')),
    dispose: () => rm(folder, { recursive: true, force: true }),
  }
}

export type Place = Awaited<ReturnType<typeof makePlace>>
