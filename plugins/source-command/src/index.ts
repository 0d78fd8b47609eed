import { PortError, type SourceModule } from '@bkp/plugin-api'
import { CommandReader } from './command-reader.js'
import { fileNameOf, SingleFileSource } from './single-file-source.js'

/**
 * What a program prints, as one file. A program that fails fails the snapshot. Configuration: `command`, run by
 * `/bin/sh -c`; `name`, the file's name, default `stdin`.
 */
const command: SourceModule = {
  id: 'command',
  openSource({ configuration, log }) {
    const { command } = configuration
    if (typeof command !== 'string' || command === '')
      throw new PortError('config', 'The source "command" needs a command to run')
    return new SingleFileSource(fileNameOf(configuration), () => new CommandReader(command, log), Date.now())
  },
}

export default command
