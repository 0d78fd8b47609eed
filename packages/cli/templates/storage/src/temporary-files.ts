import { randomUUID } from 'node:crypto'
import { mkdir, open, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** Keys are made of letters, digits, `.`, `_` and `-`: with `~` this is none. */
const folderName = '~temporary'
const oldMs = 24 * 3600 * 1000

/** Writes a file that nobody sees as an object yet, and makes it durable. */
export async function writeTemporary(root: string, data: Uint8Array, mode: number): Promise<string> {
  await mkdir(join(root, folderName), { recursive: true })
  const path = join(root, folderName, randomUUID())
  const file = await open(path, 'wx', mode)
  try {
    await file.writeFile(data)
    await file.sync()
  } catch (error) {
    await file.close()
    await rm(path, { force: true })
    throw error
  }
  await file.close()
  return path
}

export function isTemporary(name: string): boolean {
  return name === folderName
}

/** Removes what a killed process left; younger files may be another machine's that writes now. */
export async function removeLeftovers(root: string): Promise<void> {
  const names = await readdir(join(root, folderName)).catch(() => [])
  for (const name of names) {
    const path = join(root, folderName, name)
    const age = await stat(path).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    )
    if (age > oldMs) await rm(path, { force: true }).catch(() => undefined)
  }
}
