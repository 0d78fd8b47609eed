import { PortError } from '@bkp/plugin-api'

const temporaryPattern = /^\.bkp-[0-9a-f]+(?:-\d+)?-\d+\.tmp$/
const [dot, slash, backslash, colon] = [0x2e, 0x2f, 0x5c, 0x3a]
const isWindows = process.platform === 'win32'

/** Names for what is made aside before it gets its own. */
export class TemporaryNames {
  readonly #runId: string
  #last = 0

  /** @param runId of the restore, and of its thread behind a hyphen */
  constructor(runId: string) {
    this.#runId = runId
  }

  next(): Buffer {
    return Buffer.from(`.bkp-${this.#runId}-${++this.#last}.tmp`)
  }

  /** Whether a restore that was killed has left it: no thread of this one has made it. */
  isLeftover(name: Buffer): boolean {
    const run = this.#runId.split('-')[0] as string
    return isTemporary(name) && !name.toString('latin1').startsWith(`.bkp-${run}`)
  }
}

export function isTemporary(name: Buffer): boolean {
  return temporaryPattern.test(name.toString('latin1'))
}

/** @throws PortError `corrupt` for a name that could lead elsewhere */
export function checkName(name: Uint8Array | undefined): Uint8Array {
  if (name === undefined || !isSafe(name)) {
    const text = JSON.stringify(Buffer.from(name ?? []).toString('latin1'))
    throw new PortError('corrupt', `The name ${text} is refused: it could lead out of the target folder`)
  }
  return name
}

function isSafe(name: Uint8Array): boolean {
  const { length } = name
  if (length === 0 || (name[0] === dot && (length === 1 || (length === 2 && name[1] === dot)))) return false
  for (const byte of name) {
    if (byte === slash || byte === 0) return false
    if (isWindows && (byte === backslash || byte === colon)) return false
  }
  return true
}
