import { readFile, realpath } from 'node:fs/promises'
import { dirname, resolve, sep } from 'node:path'
import { PortError } from '@bkp/plugin-api'
import { look } from './files.js'

/** Where desktops mount disks: the folder with the disk's label is there only while the disk is. */
const mediaFolders = [/^\/(?:run\/)?media\/[^/]+\/[^/]+/, /^\/Volumes\/[^/]+/]

/**
 * Refuses to begin a repository in a folder whose disk is not mounted: it would fill the disk below, and vanish from sight as
 * soon as the right one is mounted. Known are the mount points of /etc/fstab, and the folders where desktops mount disks.
 * @throws PortError `not-found`
 */
export async function refuseUnmounted(
  root: string,
  { fstab = '/etc/fstab', mounts = '/proc/self/mounts' } = {},
): Promise<void> {
  const path = await realPath(resolve(root))
  const mounted = new Set((await linesOf(mounts)).map(([, folder = '']) => folder))
  // Without the list of what is mounted nothing can be said.
  if (mounted.size > 0) {
    const wanted = (await linesOf(fstab)).map(([, folder = '']) => folder.replace(/(?<=.)\/+$/, ''))
    const missing = wanted.find((folder) => isBelow(path, folder) && !mounted.has(folder))
    if (missing !== undefined)
      throw new PortError('not-found', `No disk is mounted at ${missing}, a mount point of /etc/fstab`, {
        hint: `Mount it: mount ${quoted(missing)}`,
      })
  }
  for (const pattern of mediaFolders) {
    const folder = pattern.exec(path)?.[0]
    if (folder !== undefined && (await look(folder)) === undefined)
      throw new PortError('not-found', `No disk is mounted at ${folder}`, {
        hint: `Connect the disk; if it is to be a plain folder, make it: mkdir -p ${quoted(folder)}`,
      })
  }
}

function isBelow(path: string, folder: string): boolean {
  return folder !== '/' && folder.startsWith('/') && `${path}${sep}`.startsWith(`${folder}/`)
}

/** The fields of a table of file systems, fstab(5); none where there is no such table. */
async function linesOf(file: string): Promise<readonly (readonly string[])[]> {
  const text = await readFile(file, 'utf8').catch(() => '')
  return text
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.trimStart().startsWith('#'))
    .map((line) => line.trim().split(/\s+/).map(unescaped))
}

/** Blanks, tabs, newlines and backslashes are written as octal numbers. */
function unescaped(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_all, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
}

/** With links resolved as far as the path is there. */
async function realPath(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch {
    const parent = dirname(path)
    return parent === path ? path : resolve(await realPath(parent), path.slice(parent.length).replace(/^\/+/, ''))
  }
}

function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`
}
