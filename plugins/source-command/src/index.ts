import type { SourceModule } from '@bkp/plugin-api'
import { openCommandSource } from './command-reader.js'

/** What a program prints, as one file. A program that fails fails the snapshot. */
const command: SourceModule = { id: 'command', openSource: openCommandSource }

export default command
