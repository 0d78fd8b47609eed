// About 1.8 GiB in at most 56,000 files out of /usr/share and /usr/lib: what every Linux machine has.
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

const mostFiles = 56_000

/** Copies the data once; a later call takes what is there. */
export async function makeDataset(folder, { roots = ['/usr/share', '/usr/lib'], mostBytes = 1.8 * 2 ** 30 } = {}) {
  if (!existsSync(folder)) {
    let files = 0
    let bytes = 0
    for (const path of walk(roots)) {
      const copy = join(folder, path)
      const stats = lstatSync(path)
      if (!stats.isFile() && !stats.isSymbolicLink()) continue
      if (stats.isFile() && (files >= mostFiles || bytes + stats.size > mostBytes)) continue
      mkdirSync(dirname(copy), { recursive: true })
      if (stats.isSymbolicLink()) symlinkSync(readlinkSync(path), copy)
      else {
        copyFileSync(path, copy)
        utimesSync(copy, stats.atime, stats.mtime)
        files++
        bytes += stats.size
      }
    }
  }
  let files = 0
  let bytes = 0
  for (const path of walk([folder])) {
    const stats = lstatSync(path)
    if (!stats.isFile()) continue
    files++
    bytes += stats.size
    // Read once, so that no tool is the one that waits for the disk.
    readFileSync(path)
  }
  return { files, bytes }
}

/** Changes every hundredth file: appends to small ones, rewrites a stretch of large ones. */
export function changeFiles(folder, round) {
  let n = 0
  for (const path of walk([folder])) {
    if (!lstatSync(path).isFile() || n++ % 100 !== round % 100) continue
    if (lstatSync(path).size < 1_000_000) appendFileSync(path, `changed in round ${round}\n`)
    else
      writeFileSync(
        path,
        Buffer.concat([readFileSync(path).subarray(0, -8), Buffer.from(`round${String(round).padStart(3, '0')}`)]),
      )
  }
}

function* walk(folders) {
  const pending = [...folders].reverse()
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
    for (const entry of entries) if (!entry.isDirectory()) yield join(folder, entry.name)
    for (const entry of entries.reverse()) if (entry.isDirectory()) pending.push(join(folder, entry.name))
  }
}
