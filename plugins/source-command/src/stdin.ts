import { readSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FileReader, ReadOutcome, SourceModule } from '@bkp/plugin-api'
import { SingleFileSource } from './single-file-source.js'

/** Standard input as one file. */
const stdin: SourceModule = {
  id: 'stdin',
  openSource: () => new SingleFileSource(() => new StandardInputReader(), Date.now()),
}

export default stdin

const waitMs = 5

class StandardInputReader implements FileReader {
  readonly extents = undefined
  readonly sizeBytes = 0

  async read(into: Uint8Array): Promise<number> {
    for (;;) {
      try {
        return readSync(0, into, 0, into.length, null)
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        if (code === 'EOF') return 0
        // A pipe that is not blocking and has nothing yet.
        if (code !== 'EAGAIN') throw error
        await sleep(waitMs)
      }
    }
  }

  close(): ReadOutcome {
    return 'stable'
  }
}
