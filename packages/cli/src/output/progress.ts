import type { EngineEvent } from '@bkp/core'
import { bytes, duration, safe } from './text.js'

const plainEveryMs = 30_000

/**
 * Draws a run on standard error: one line that is overwritten on a terminal, a plain line now and then elsewhere. Issues
 * are printed as they come.
 */
export class ProgressLine {
  readonly #isTerminal = process.stderr.isTTY === true
  readonly #isQuiet: boolean
  readonly #started = Date.now()
  #lastPlain = Date.now()
  #total: { readonly files: number; readonly bytes: number } | undefined

  constructor(isQuiet: boolean) {
    this.#isQuiet = isQuiet
  }

  readonly onEvent = (event: EngineEvent): void => {
    if (this.#isQuiet) return
    if (event.kind === 'planned') this.#total = { files: event.totalFiles, bytes: event.totalBytes }
    else if (event.kind === 'issue')
      this.#print(`${event.issue.kind}: ${safe(event.issue.path.text)}: ${safe(event.issue.message)}`)
    else if (event.kind === 'note') this.#print(`note: ${safe(event.message)}`)
    else if (event.kind === 'progress') this.#draw(event)
  }

  /** Removes the live line. */
  clear(): void {
    if (this.#isTerminal && !this.#isQuiet) process.stderr.write('\r\u001b[K')
  }

  #print(line: string): void {
    this.clear()
    process.stderr.write(`${line}\n`)
  }

  #draw(event: EngineEvent & { kind: 'progress' }): void {
    const elapsed = Date.now() - this.#started
    const speed = elapsed > 0 ? (event.bytesDone / elapsed) * 1000 : 0
    const totalBytes = event.totalBytes ?? this.#total?.bytes
    const parts = [`${event.filesDone} files`, bytes(event.bytesDone), `${bytes(speed)}/s`]
    if (totalBytes !== undefined && totalBytes > event.bytesDone && speed > 0) {
      parts.push(
        `${Math.floor((event.bytesDone / totalBytes) * 100)}%`,
        `ETA ${duration(((totalBytes - event.bytesDone) / speed) * 1000)}`,
      )
    }
    if (event.errors > 0) parts.push(`${event.errors} issues`)
    if (event.current !== undefined) parts.push(safe(event.current))
    const line = parts.join('  ')
    if (this.#isTerminal) process.stderr.write(`\r\u001b[K${line.slice(0, (process.stderr.columns ?? 80) - 1)}`)
    else if (Date.now() - this.#lastPlain >= plainEveryMs) {
      this.#lastPlain = Date.now()
      process.stderr.write(`${line}\n`)
    }
  }
}
