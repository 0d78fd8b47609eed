import { MultiBar, type SingleBar } from 'cli-progress'
import { destinationLine, type ProgressEvent, type ProgressView, progressLine } from './progress.js'

const redrawsPerSecond = 10

/**
 * One line on a terminal that is drawn anew up to ten times a second, and below it one for each of several destinations; what
 * is said stays above them.
 */
export class LiveView implements ProgressView {
  readonly #bars: MultiBar
  readonly #bar: SingleBar
  readonly #destinations: SingleBar[] = []
  readonly #elapsedMs: () => number
  #latest: ProgressEvent | undefined

  constructor(stream: NodeJS.WritableStream, unit: string, now: () => number) {
    const started = now()
    this.#elapsedMs = () => now() - started
    const format = () => (this.#latest === undefined ? '' : progressLine(this.#latest, unit, this.#elapsedMs()))
    // Lines are cut, not wrapped: nothing on the terminal has to be undone when the process is killed.
    this.#bars = new MultiBar({ stream, format, fps: redrawsPerSecond, clearOnComplete: true, linewrap: true })
    this.#bar = this.#bars.create(1, 0)
  }

  progress(event: ProgressEvent): void {
    this.#latest = event
    this.#bar.update(0)
    const { destinations = [] } = event
    for (let n = this.#destinations.length; n < destinations.length; n++) this.#destinations.push(this.#addBar(n))
  }

  #addBar(destination: number): SingleBar {
    const format = () => {
      const one = this.#latest?.destinations?.[destination]
      return one === undefined ? '' : destinationLine(one, this.#elapsedMs())
    }
    return this.#bars.create(1, 0, {}, { format })
  }

  say(line: string): void {
    this.#bars.log(`${line}\n`)
  }

  log(line: string): void {
    this.say(line)
  }

  stop(): void {
    // What was said since the last redraw would be lost otherwise.
    this.#bars.update()
    this.#bars.stop()
  }
}
