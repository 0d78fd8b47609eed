import { fstatSync, readSync } from 'node:fs'
import { Socket } from 'node:net'
import { isatty, ReadStream } from 'node:tty'
import { type FileReader, PortError, type ReadOutcome } from '@bkp/plugin-api'
import { StreamReader } from './stream-reader.js'

/**
 * Reads an open file descriptor to its end.
 * @throws PortError `config` if it is not open
 */
export function openInput(descriptor: number): FileReader {
  const stats = statOf(descriptor)
  // Waited for by the event loop: a thread that blocks in read(2) could not be ended when the user interrupts.
  if (stats.isFIFO() || stats.isSocket())
    return new StreamReader(new Socket({ fd: descriptor, readable: true, writable: false }))
  if (isatty(descriptor)) return new StreamReader(new ReadStream(descriptor))
  return new DescriptorReader(descriptor)
}

function statOf(descriptor: number) {
  try {
    return fstatSync(descriptor)
  } catch (cause) {
    throw new PortError('config', 'There is no standard input to read', { cause })
  }
}

/** For files and devices, which never keep one waiting. */
class DescriptorReader implements FileReader {
  readonly extents = undefined
  /** Unknown: reading may begin anywhere in the file, and goes on to its end. */
  readonly sizeBytes = 0
  readonly #descriptor: number
  #isAtEnd = false

  constructor(descriptor: number) {
    this.#descriptor = descriptor
  }

  read(into: Uint8Array): number {
    const count = readSync(this.#descriptor, into, 0, into.length, null)
    if (count === 0 && into.length > 0) this.#isAtEnd = true
    return count
  }

  close(): ReadOutcome {
    return this.#isAtEnd ? 'stable' : 'changed'
  }
}
