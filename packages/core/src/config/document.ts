import {
  type Document,
  isMap,
  isNode,
  isPair,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type YAMLError,
} from 'yaml'
import type { ConfigProblem } from './config-error.js'

/** What the parser says, in our words: its own may quote a line of the file, which may hold a secret. */
const reasons: Readonly<Record<string, string>> = {
  BAD_ALIAS: 'names an anchor that is not there',
  BAD_DIRECTIVE: 'has a directive that YAML does not know',
  BAD_DQ_ESCAPE: 'has an escape in double quotes that YAML does not know; single quotes take everything as it is',
  BAD_INDENT: 'is indented wrongly',
  BAD_SCALAR_START: 'begins with a character that must be in quotes',
  BLOCK_IN_FLOW: 'has a block inside of braces or brackets',
  DUPLICATE_KEY: 'has the same key twice',
  MISSING_CHAR: 'lacks a character: a closing quote or bracket, or a blank after a colon',
  MULTILINE_IMPLICIT_KEY: 'has a key over several lines, or a line that is neither key nor value',
  MULTIPLE_DOCS: 'holds several documents',
  TAB_AS_INDENT: 'is indented by tabs; YAML wants blanks',
  TAG_RESOLVE_FAILED: 'has a tag that is not known',
  UNEXPECTED_TOKEN: 'has something here that YAML does not expect; a text with ": " or "#" must be in quotes',
}

/** A configuration file as text, with the places of its parts. */
export class ConfigDocument {
  readonly document: Document.Parsed
  readonly #lines = new LineCounter()

  constructor(text: string) {
    this.document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false })
  }

  syntaxProblems(): readonly ConfigProblem[] {
    return this.document.errors.map((error: YAMLError) => ({
      level: 'error',
      ...this.#place(error.pos[0]),
      path: '',
      message: reasons[error.code] ?? `is not valid YAML (${error.code})`,
    }))
  }

  /** The values, without their places. */
  values(): unknown {
    return this.document.toJS({ maxAliasCount: 100 })
  }

  problem(level: ConfigProblem['level'], path: readonly string[], message: string): ConfigProblem {
    return { level, ...this.#place(this.#offsetOf(path)), path: path.join('.'), message }
  }

  #place(offset: number | undefined): { readonly line: number; readonly column: number } {
    if (offset === undefined) return { line: 0, column: 0 }
    const { line, col } = this.#lines.linePos(offset)
    return { line, column: col }
  }

  /** Where a part begins: its key, or what is nearest to it around it. */
  #offsetOf(path: readonly string[]): number | undefined {
    let at: unknown = this.document.contents
    let offset = offsetOfNode(at)
    for (const name of path) {
      const pair = isMap(at)
        ? at.items.find((item) => String(isNode(item.key) ? item.key.toJSON() : item.key) === name)
        : undefined
      const item = isPair(pair) ? pair.value : isSeq(at) ? at.items[Number(name)] : undefined
      if (pair === undefined && item === undefined) return offset
      offset = offsetOfNode(isPair(pair) ? pair.key : item) ?? offset
      at = item
    }
    return offset
  }
}

function offsetOfNode(node: unknown): number | undefined {
  return isNode(node) ? (node as Node).range?.[0] : undefined
}
