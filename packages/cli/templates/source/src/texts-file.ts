import { readFileSync, statSync } from 'node:fs'
import { PortError } from '@bkp/plugin-api'

/** All texts of the file by name, and when it was changed. */
export interface Texts {
  readonly contents: ReadonlyMap<string, Uint8Array>
  /** In milliseconds since 1970. */
  readonly changedMs: number
}

/** Reads the file anew: content must be what is there now. */
export function readTexts(file: string): Texts {
  try {
    const { mtimeMs } = statSync(file)
    return { contents: parseTexts(file, readFileSync(file, 'utf8')), changedMs: mtimeMs }
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT')
      throw new PortError('not-found', `There is no file ${file}`, { cause })
    throw cause
  }
}

function parseTexts(file: string, json: string): ReadonlyMap<string, Uint8Array> {
  const parsed: unknown = parse(file, json)
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw new PortError('config', `${file} is not an object of names and texts`)
  return new Map(
    Object.entries(parsed).map(([name, text]) => {
      if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name))
        throw new PortError('config', `"${name}" in ${file} is no name of a file`)
      return [name, Buffer.from(typeof text === 'string' ? text : JSON.stringify(text))]
    }),
  )
}

function parse(file: string, json: string): unknown {
  try {
    return JSON.parse(json)
  } catch (cause) {
    throw new PortError('config', `${file} is not JSON`, { cause })
  }
}
