/** Where a secret is. A literal is the secret itself. */
export type SecretReference =
  | { readonly kind: 'env'; readonly name: string }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'command'; readonly command: string }
  | { readonly kind: 'keychain'; readonly service: string; readonly account: string }
  | { readonly kind: 'literal'; readonly value: string }

const marked = /^(env|file|command|keychain|literal):([\s\S]*)$/

/**
 * Reads the text of a secret in the configuration: `env:NAME`, `file:/path`, `command:program arguments`,
 * `keychain:service/account`, `literal:text` or anything else, which is the secret itself.
 * @returns a sentence about what is wrong, without the text, where a reference cannot be
 */
export function parseSecretReference(text: string): SecretReference | string {
  const match = marked.exec(text)
  if (match === null) return { kind: 'literal', value: text }
  const [, kind, rest = ''] = match
  if (kind === 'literal') return { kind, value: rest }
  if (rest.trim() === '') return `the reference "${kind}:" names nothing`
  if (kind === 'env') return /^[A-Za-z_]\w*$/.test(rest) ? { kind, name: rest } : 'env: wants the name of a variable'
  if (kind === 'file') return { kind, path: rest }
  if (kind === 'command') return { kind, command: rest }
  const slash = rest.indexOf('/')
  if (slash < 1 || slash === rest.length - 1) return 'keychain: wants SERVICE/ACCOUNT'
  return { kind: 'keychain', service: rest.slice(0, slash), account: rest.slice(slash + 1) }
}

/** A secret as text that is read back as itself. */
export function literalText(value: string): string {
  return marked.test(value) ? `literal:${value}` : value
}

/** Text of a secret as it may be shown: a reference as it is, anything else hidden. */
export function shownSecret(text: string): string {
  const reference = parseSecretReference(text)
  return typeof reference !== 'string' && reference.kind !== 'literal' ? text : '[secret]'
}
