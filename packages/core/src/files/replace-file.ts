import { randomBytes } from 'node:crypto'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** What a killed process leaves of a file ends so. */
export const temporarySuffix = '.tmp'

export interface ReplaceOptions {
  /** Whether it has to outlast a power failure from here on. Without, a crash may leave an empty or a cut file. */
  readonly isDurable?: boolean
}

/**
 * Writes a file, for its owner alone, that others see as it was or as it is, never half; makes its folder where that is not
 * there.
 * @param data text, or parts that follow each other
 * @throws system errors; the old file is as it was then
 */
export async function replaceFile(
  path: string,
  data: string | readonly Uint8Array[],
  { isDurable = true }: ReplaceOptions = {},
): Promise<void> {
  const folder = dirname(path)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const temporary = join(folder, `.${basename(path)}.${randomBytes(8).toString('hex')}${temporarySuffix}`)
  try {
    const file = await open(temporary, 'wx', 0o600)
    try {
      if (typeof data === 'string') await file.writeFile(data)
      else await file.writev([...data])
      if (isDurable) await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
    if (isDurable) await syncFolder(folder)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

async function syncFolder(folder: string): Promise<void> {
  // Windows cannot open folders, and needs no such call.
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } catch (error) {
    // Some network file systems have no such call.
    if (!['EINVAL', 'ENOTSUP'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  } finally {
    await handle.close()
  }
}
