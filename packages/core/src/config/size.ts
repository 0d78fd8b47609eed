const units: Readonly<Record<string, number>> = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 }

/** `100M` as bytes; K, M, G and T are powers of 1024. Undefined when it is not a size. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)([KMGT]?)(?:i?B)?$/i.exec(text)
  if (match === null) return undefined
  const bytes = Math.floor(Number(match[1]) * (units[(match[2] as string).toUpperCase()] as number))
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

/**
 * `5M`, `5M/s` or `5MiB/s` as bytes per second; `unlimited` as Infinity. Undefined when it is not a rate, and for 0: what is
 * never sent cannot be meant.
 */
export function parseRate(text: string): number | undefined {
  if (text === 'unlimited') return Number.POSITIVE_INFINITY
  const bytes = parseSize(text.replace(/\/s$/, ''))
  return bytes === 0 ? undefined : bytes
}
