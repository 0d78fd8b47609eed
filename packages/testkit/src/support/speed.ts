const leastMs = 80

/** Megabytes (10^6) a second at which `action` works through `sizeBytes`, after one call to warm up. */
export function speedOf(sizeBytes: number, action: () => void): number {
  action()
  const start = performance.now()
  let elapsedMs = 0
  let rounds = 0
  do {
    action()
    rounds++
    elapsedMs = performance.now() - start
  } while (elapsedMs < leastMs)
  return (rounds * sizeBytes) / 1000 / elapsedMs
}

/** One line for people, e.g. `zstd: 10 kB compress 120, decompress 410 MB/s`. */
export function speedLine(name: string, sizeName: string, speeds: Readonly<Record<string, number>>): string {
  const figures = Object.entries(speeds).map(([what, speed]) => `${what} ${speed.toFixed(speed < 10 ? 1 : 0)}`)
  return `${name}, ${sizeName}: ${figures.join(', ')} MB/s`
}

/** The sizes at which codecs and ciphers are measured: a small file, and a chunk. */
export const speedSizes = { '10 kB': 10_000, '1 MiB': 1_048_576 } as const
