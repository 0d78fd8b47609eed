import type { SourceModule } from '@bkp/plugin-api'
import { loadLibc } from './libc.js'
import { FileSystemSource } from './source.js'
import { FileSystemTarget } from './target.js'

/** Files and folders of this machine. */
const fileSystem: SourceModule = {
  id: 'fs',
  canReadAhead: true,
  limitations: () =>
    loadLibc() === undefined
      ? [
          'extended attributes and ACLs, device nodes and FIFOs on restore, nanoseconds of restored times, holes of sparse files (koffi is not available)',
        ]
      : [],
  openSource: () => new FileSystemSource(loadLibc()),
  openTarget: (request) => new FileSystemTarget(request, loadLibc()),
}

export default fileSystem
