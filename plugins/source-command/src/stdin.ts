import type { SourceModule } from '@bkp/plugin-api'
import { openInput } from './input-reader.js'
import { fileNameOf, SingleFileSource } from './single-file-source.js'

const standardInput = 0

/** Standard input as one file. Configuration: `name`, the file's name, default `stdin`. */
const stdin: SourceModule = {
  id: 'stdin',
  openSource: ({ configuration }) =>
    new SingleFileSource(fileNameOf(configuration), () => openInput(standardInput), Date.now()),
}

export default stdin
