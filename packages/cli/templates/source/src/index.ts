import { PortError, type SourceModule } from '@bkp/plugin-api'
import { TextsSource } from './texts-source.js'

// Imported in worker threads, which share nothing: each opens a source of its own.
const source: SourceModule = {
  id: '{{id}}',
  openSource({ configuration: { file } }) {
    if (typeof file !== 'string') throw new PortError('config', 'The option file is missing')
    return new TextsSource(file)
  },
}

export default source
