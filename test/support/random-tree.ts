import { chmodSync, linkSync, lutimesSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { noise } from './torture-tree.js'

const sizes = [0, 1, 20, 300, 5_000, 70_000, 262_144, 262_145, 1_300_000]
const depths = 2

/** A small tree that is another one for every seed: contents, names of any bytes, modes, times, links. */
export function makeRandomTree(directory: string, seed: number): void {
  let state = seed | 1
  const random = (below: number) => {
    state = Math.imul(state, 1_664_525) + 1_013_904_223
    return Math.floor(((state >>> 0) / 2 ** 32) * below)
  }
  const pick = <T>(from: readonly T[]): T => from[random(from.length)] as T
  const inside = (folder: Buffer, n: number) => {
    // The number keeps names apart; a name has no "/" and no NUL.
    const bytes = Array.from({ length: 1 + random(20) }, () => 1 + random(255)).filter((byte) => byte !== 0x2f)
    return Buffer.concat([folder, Buffer.from('/'), Buffer.from(bytes), Buffer.from(`-${n}`)])
  }
  const content = () => {
    const bytes = noise(pick(sizes), 1 + random(1_000_000))
    // Half of them compress.
    return random(2) === 0 ? bytes : Buffer.from(bytes.map((byte) => byte & 3))
  }
  const setTime = (path: Buffer) => lutimesSync(path, random(2 ** 31), -random(2 ** 31) + random(1e6) / 1e6)

  const fill = (folder: Buffer, depth: number) => {
    mkdirSync(folder)
    for (let n = 0; n < 6; n++) {
      const path = inside(folder, n)
      writeFileSync(path, content())
      chmodSync(path, 0o400 | random(0o1000))
      if (random(3) === 0) linkSync(path, inside(folder, 100 + n))
      setTime(path)
    }
    const symlink = inside(folder, 200)
    symlinkSync(noise(10, 1 + random(1_000_000)).map((byte) => byte || 1) as Buffer, symlink)
    setTime(symlink)
    if (depth < depths) for (let n = 0; n < 2; n++) fill(inside(folder, 300 + n), depth + 1)
    chmodSync(folder, 0o700 | random(0o100))
    setTime(folder)
  }
  fill(Buffer.from(directory), 1)
}
