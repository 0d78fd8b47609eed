import { StringDecoder } from 'node:string_decoder'

const maxLineCharacters = 8192

/** Cuts a stream of UTF-8 into lines; what ends without a line break comes with `end`. Empty lines are left out. */
export class Lines {
  readonly #onLine: (line: string) => void
  readonly #decoder = new StringDecoder('utf8')
  #rest = ''

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine
  }

  push(bytes: Buffer): void {
    // A progress bar rewrites its line with carriage returns.
    const lines = (this.#rest + this.#decoder.write(bytes)).split(/[\r\n]+/)
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#emit(line)
    if (this.#rest.length > maxLineCharacters) this.#flush()
  }

  end(): void {
    this.#rest += this.#decoder.end()
    this.#flush()
  }

  #flush(): void {
    this.#emit(this.#rest)
    this.#rest = ''
  }

  #emit(line: string): void {
    const text = line.trimEnd()
    if (text !== '') this.#onLine(text.slice(0, maxLineCharacters))
  }
}
