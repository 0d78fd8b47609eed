import { MultiBar, type SingleBar } from 'cli-progress'
import { type ProgressEvent, type ProgressView, progressLine } from './progress.js'

const redrawsPerSecond = 10

/** One line on a terminal that is drawn anew up to ten times a second; what is said stays above it. */
export class LiveView implements ProgressView {
  readonly #bars: MultiBar
  readonly #bar: SingleBar
  #latest: ProgressEvent | undefined

  constructor(stream: NodeJS.WritableStream, unit: string, now: () => number) {
    const started = now()
    const format = () => (this.#latest === undefined ? '' : progressLine(this.#latest, unit, now() - started))
    // Lines are cut, not wrapped: nothing on the terminal has to be undone when the process is killed.
    this.#bars = new MultiBar({ stream, format, fps: redrawsPerSecond, clearOnComplete: true, linewrap: true })
    this.#bar = this.#bars.create(1, 0)
  }

  progress(event: ProgressEvent): void {
    this.#latest = event
    this.#bar.update(0)
  }

  say(line: string): void {
    this.#bars.log(`${line}\n`)
  }

  stop(): void {
    // What was said since the last redraw would be lost otherwise.
    this.#bars.update()
    this.#bars.stop()
  }
}
