import { PassThrough } from 'node:stream'
import { type Output, OutputClosed, type Terminal } from '../composition/terminal.js'

/** Keeps what is written to it; can be told to be closed. */
export class FakeOutput implements Output {
  readonly isTerminal: boolean
  readonly hasColours = false
  readonly stream = new PassThrough()
  readonly #pieces: Uint8Array[] = []
  /** Writes that go through before the reader goes away. */
  writesUntilClosed = Number.POSITIVE_INFINITY

  constructor(isTerminal: boolean) {
    this.isTerminal = isTerminal
    this.stream.on('data', (piece: Buffer) => this.#pieces.push(piece))
  }

  async write(data: string | Uint8Array): Promise<void> {
    if (this.writesUntilClosed-- <= 0) throw new OutputClosed('Nobody reads the output any more')
    this.#pieces.push(Buffer.from(data))
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#pieces)
  }

  get text(): string {
    return this.bytes.toString()
  }
}

export class FakeTerminal implements Terminal {
  readonly env: Record<string, string | undefined>
  readonly canAsk: boolean
  readonly stdout: FakeOutput
  readonly stderr: FakeOutput
  exitCode: number | undefined
  #listener: ((signal: string) => void) | undefined

  constructor(env: Record<string, string>, isTerminal: boolean) {
    this.env = { ...env }
    this.canAsk = isTerminal
    this.stdout = new FakeOutput(isTerminal)
    this.stderr = new FakeOutput(isTerminal)
  }

  onInterrupt(listener: (signal: string) => void): () => void {
    this.#listener = listener
    return () => {
      this.#listener = undefined
    }
  }

  /** Whether a command listens now. */
  get isListening(): boolean {
    return this.#listener !== undefined
  }

  interrupt(signal: string): void {
    this.#listener?.(signal)
  }
}
