import type { JsonSchema } from '@bkp/plugin-api'
import { UsageError } from '../errors/cli-error.js'

/** An option that nothing gives yet. */
export interface MissingOption {
  readonly name: string
  readonly description: string
  readonly isSecret: boolean
  readonly isRequired: boolean
}

/** How questions are asked. */
export interface Questions {
  readonly askText: (question: string) => Promise<string>
  readonly askSecret: (question: string) => Promise<string>
}

/**
 * Options of `--set NAME=VALUE`; a name that is given several times is a list.
 * @throws UsageError for a secret: every user of the machine can see a command line
 */
export async function optionTexts(
  schema: JsonSchema,
  given: readonly string[],
): Promise<Readonly<Record<string, string | readonly string[]>>> {
  const { isSecretProperty, parseSecretReference, propertiesOf } = await import('@bkp/core/config')
  const texts = new Map<string, string[]>()
  for (const [n, text] of given.entries()) {
    const at = text.indexOf('=')
    // Not repeated in the message: what is wrong may be a secret.
    if (at < 1)
      throw new UsageError(`--set number ${n + 1} is not NAME=VALUE`, 'Write for example --set region=eu-central-1')
    const name = text.slice(0, at)
    const value = text.slice(at + 1)
    const reference = parseSecretReference(value)
    const isLiteral = typeof reference === 'string' || reference.kind === 'literal'
    if (isSecretProperty(propertiesOf(schema)[name]) && isLiteral) {
      const hint = `Give a reference: --set ${name}=env:NAME, file:/path, command:program or keychain:service/account`
      throw new UsageError(`"${name}" is a secret, and every user of this machine can see a command line`, hint)
    }
    texts.set(name, [...(texts.get(name) ?? []), value])
  }
  return Object.fromEntries([...texts].map(([name, all]) => [name, all.length === 1 ? (all[0] as string) : all]))
}

/**
 * What the storage wants, and secrets that it may take, as far as neither the options nor the environment give them. `x-bkp-ask`
 * of a property says otherwise: `true` asks also for what may be left out, `false` does not ask for a secret that few need.
 */
export function missingOptions(
  schema: JsonSchema,
  given: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): readonly MissingOption[] {
  const required = (schema.required ?? []) as readonly string[]
  const properties = Object.entries((schema.properties ?? {}) as Readonly<Record<string, JsonSchema>>)
  return properties.flatMap(([name, property]) => {
    const isSecret = property['x-bkp-secret'] === true
    const isRequired = required.includes(name)
    const variable = property['x-bkp-env']
    const isInEnvironment = typeof variable === 'string' && (env[variable] ?? '') !== ''
    const asks = isRequired || (typeof property['x-bkp-ask'] === 'boolean' ? property['x-bkp-ask'] : isSecret)
    if (given.includes(name) || isInEnvironment || !asks) return []
    const description = typeof property.description === 'string' ? property.description : name
    return [{ name, description, isSecret, isRequired }]
  })
}

/** Asks for each; an empty answer leaves an option out. */
export async function askForOptions(
  missing: readonly MissingOption[],
  { askText, askSecret }: Questions,
): Promise<Readonly<Record<string, string>>> {
  const { literalText, parseSecretReference } = await import('@bkp/core/config')
  const answers: Record<string, string> = {}
  for (const { name, description, isSecret, isRequired } of missing) {
    const ways = isSecret ? ', or env:NAME, file:/path, command:program' : ''
    const question = `${name} (${description}${ways}${isRequired ? '' : '; empty: none'}):`
    const answer = await (isSecret ? askSecret(question) : askText(question))
    if (answer === '') continue
    // What is no proper reference is the secret itself.
    const isBroken = isSecret && typeof parseSecretReference(answer) === 'string'
    answers[name] = isBroken ? literalText(answer) : answer
  }
  return answers
}
