import type { DestinationProgress, EngineEvent } from '@bkp/core'
import type { Terminal } from '../composition/terminal.js'
import { bytes, counted, duration, safe } from './text.js'

export type ProgressEvent = Extract<EngineEvent, { readonly kind: 'progress' }> & {
  /** Only where there are several. */
  readonly destinations?: readonly DestinationProgress[]
}

/** Where the state of a run is drawn. */
export interface ProgressView {
  progress(event: ProgressEvent): void
  /** A line that stays. */
  say(line: string): void
  /** The same, for those who look for faults: shown in every mode. */
  log(line: string): void
  stop(): void
}

/** `none`: issues and notes alone; `json`: progress as JSON lines and nothing else; `silent`: nothing at all. */
export type ProgressMode = 'people' | 'none' | 'json' | 'silent'

/** Hands the events of a run to a view. */
export class Progress {
  readonly #view: ProgressView
  #total: { readonly files: number; readonly bytes: number } | undefined
  #destinations: readonly DestinationProgress[] | undefined

  constructor(view: ProgressView) {
    this.#view = view
  }

  readonly onEvent = (event: EngineEvent): void => {
    if (event.kind === 'planned') this.#total = { files: event.totalFiles, bytes: event.totalBytes }
    else if (event.kind === 'issue') {
      const { kind, path, message } = event.issue
      this.#view.say(`${kind}: ${safe(path.text)}: ${safe(message)}`)
    } else if (event.kind === 'destination-lost') {
      const hint = event.hint === undefined ? '' : `\n  ${safe(event.hint)}`
      this.#view.say(`${safe(event.name)} takes no further part: ${safe(event.message)}${hint}`)
    } else if (event.kind === 'destinations') this.#destinations = event.destinations
    else if (event.kind === 'note') this.#view.say(`note: ${safe(event.message)}`)
    else if (event.kind === 'progress') {
      const planned = this.#total === undefined ? {} : { totalFiles: this.#total.files, totalBytes: this.#total.bytes }
      const destinations = this.#destinations === undefined ? {} : { destinations: this.#destinations }
      this.#view.progress({ ...planned, ...event, ...destinations })
    }
  }

  say(line: string): void {
    this.#view.say(line)
  }

  log(line: string): void {
    this.#view.log(line)
  }

  stop(): void {
    this.#view.stop()
  }
}

const plainEveryMs = 30_000
const jsonEveryMs = 1_000

export async function createProgress(
  terminal: Terminal,
  mode: ProgressMode,
  unit: string,
  now: () => number,
): Promise<Progress> {
  const say = (line: string) => tell(terminal, `${line}\n`)
  const quiet = { progress: () => undefined, say, log: say, stop: () => undefined }
  if (mode === 'silent') return new Progress({ ...quiet, say: () => undefined })
  if (mode === 'none') return new Progress(quiet)
  if (mode === 'json') {
    const write = (event: ProgressEvent) => tell(terminal, `${JSON.stringify(progressJson(event))}\n`, 'stdout')
    return new Progress({ ...quiet, progress: atMostEvery(jsonEveryMs, now, write), say: () => undefined })
  }
  if (terminal.stderr.isTerminal) {
    const { LiveView } = await import('./live-view.js')
    return new Progress(new LiveView(terminal.stderr.stream, unit, now))
  }
  const started = now()
  const write = (event: ProgressEvent) => say(progressLine(event, unit, now() - started))
  // Not at once: a run shorter than that needs no line.
  return new Progress({ ...quiet, progress: atMostEvery(plainEveryMs, now, write, started) })
}

/** For people: `12 files  3.4 MiB  1.1 MiB/s  40%  ETA 5 s`. Totals are those of the last snapshot, so a guess. */
export function progressLine(event: ProgressEvent, unit: string, elapsedMs: number): string {
  const { filesDone, bytesDone, storedBytes, totalBytes, errors, current } = event
  const bytesPerMs = elapsedMs > 0 ? bytesDone / elapsedMs : 0
  const parts = [counted(filesDone, unit), bytes(bytesDone), `${bytes(bytesPerMs * 1000)}/s`]
  if (storedBytes > 0) parts.push(`${bytes(storedBytes)} stored`)
  if (totalBytes !== undefined && totalBytes > bytesDone && bytesPerMs > 0) {
    parts.push(
      `${Math.floor((bytesDone / totalBytes) * 100)}%`,
      `ETA ${duration((totalBytes - bytesDone) / bytesPerMs)}`,
    )
  }
  if (errors > 0) parts.push(counted(errors, 'issue'))
  if (current !== undefined) parts.push(safe(current))
  return parts.join('  ')
}

/** For people: where one of several destinations is, and how fast it takes what it is given. */
export function destinationLine(destination: DestinationProgress, elapsedMs: number): string {
  const { name, storedBytes, queuedBytes, isLost } = destination
  if (isLost) return `  ${safe(name)}  takes no further part`
  const rate = elapsedMs > 0 ? (storedBytes * 1000) / elapsedMs : 0
  const waiting = queuedBytes === 0 ? '' : `  ${bytes(queuedBytes)} waiting`
  return `  ${safe(name)}  ${bytes(storedBytes)} stored  ${bytes(rate)}/s${waiting}`
}

function progressJson(event: ProgressEvent): Readonly<Record<string, unknown>> {
  const { filesDone, bytesDone, storedBytes, errors, current, totalFiles, totalBytes } = event
  const total = totalFiles === undefined ? {} : { totalFiles, totalBytes }
  const now = current === undefined ? {} : { current }
  const where =
    event.destinations === undefined
      ? {}
      : {
          destinations: event.destinations.map(({ name, storedBytes: stored, queuedBytes, isLost }) => {
            return { name, storedBytes: stored, queuedBytes, isLost }
          }),
        }
  return { version: 1, type: 'progress', filesDone, bytesDone, storedBytes, errors, ...total, ...now, ...where }
}

function atMostEvery<T>(everyMs: number, now: () => number, action: (value: T) => void, from?: number) {
  let last = from ?? Number.NEGATIVE_INFINITY
  return (value: T): void => {
    if (now() - last < everyMs) return
    last = now()
    action(value)
  }
}

// A run must not end because nobody reads its progress.
function tell(terminal: Terminal, text: string, where: 'stdout' | 'stderr' = 'stderr'): void {
  terminal[where].write(text).catch(() => undefined)
}
