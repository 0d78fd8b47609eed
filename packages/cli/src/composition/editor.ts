import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { UsageError } from '../errors/cli-error.js'

/**
 * Opens a file in VISUAL or EDITOR, which may hold arguments, and waits until it is closed.
 * @throws UsageError when there is no editor, or it fails
 */
export async function editInEditor(path: string, env: Readonly<Record<string, string | undefined>>): Promise<void> {
  const editor = env.VISUAL || env.EDITOR
  if (!editor) throw new UsageError('There is no editor', 'Name one: VISUAL=nano bkp config edit')
  const isWindows = process.platform === 'win32'
  const child = isWindows
    ? spawn(`${editor} "${path}"`, { stdio: 'inherit', shell: true })
    : spawn('/bin/sh', ['-c', `${editor} "$1"`, 'sh', path], { stdio: 'inherit' })
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  if (code === 0) return
  const how = code === null ? `signal ${signal}` : `exit code ${code}`
  throw new UsageError(`The editor ended with ${how}, so nothing was changed`, `It was: ${editor}`)
}
