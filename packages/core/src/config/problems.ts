import type { JsonSchema } from '@bkp/plugin-api'
import type { ConfigProblem } from './config-error.js'
import type { ConfigDocument } from './document.js'
import type { JobConfig, NotifierConfig, NotifierDescription } from './model.js'
import { writtenOptions } from './schema.js'
import { faultsBySchema } from './schema-faults.js'
import { isSecretProperty, propertiesOf } from './schema-parts.js'
import { parseSecretReference } from './secret-reference.js'

/** What is wrong with options as they are written, and which secrets stand in the file itself. */
export async function writtenProblems(
  document: ConfigDocument,
  path: readonly string[],
  options: Readonly<Record<string, unknown>>,
  schema: JsonSchema,
): Promise<ConfigProblem[]> {
  const properties = propertiesOf(schema)
  const problems: ConfigProblem[] = []
  for (const fault of await faultsBySchema(writtenOptions(schema), options))
    problems.push(document.problem('error', [...path, ...fault.path], wordsOf(fault.path, fault.message)))
  for (const [name, value] of Object.entries(options))
    if (isSecretProperty(properties[name]) && typeof value === 'string')
      problems.push(...secretProblems(document, [...path, name], value))
  return problems
}

export async function notifierProblems(
  document: ConfigDocument,
  path: readonly string[],
  { use, options }: NotifierConfig,
  notifiers: readonly NotifierDescription[],
): Promise<ConfigProblem[]> {
  const found = notifiers.find(({ id }) => id === use)
  if (found !== undefined) {
    const schema = found.schema ?? { type: 'object', properties: {}, additionalProperties: false }
    return writtenProblems(document, [...path, 'options'], options, schema)
  }
  if (notifiers.length === 0) return []
  const known = notifiers.map(({ id }) => id)
  return [
    document.problem(
      'warning',
      [...path, 'use'],
      `names a notifier that no plugin here has; there are ${known.join(', ')}`,
    ),
  ]
}

/** Keys of jobs that are kept for later, and what somebody who writes them must not count on. */
const idleKeys = {
  schedule: 'bkp does not run jobs by itself',
  retention: 'no snapshot is removed by it',
  hooks: 'its commands are not run, and "bkp backup" refuses the job',
} as const

/** What a job says that nothing acts on. */
export function idleProblems(document: ConfigDocument, path: readonly string[], job: JobConfig): ConfigProblem[] {
  const names = Object.keys(idleKeys) as (keyof typeof idleKeys)[]
  return names
    .filter((name) => (name === 'hooks' ? hasHooks(job) : job[name] !== undefined))
    .map((name) => document.problem('warning', [...path, name], `has no effect yet: ${idleKeys[name]}`))
}

/** Whether a job counts on commands around its runs. */
export function hasHooks({ hooks = {} }: Pick<JobConfig, 'hooks'>): boolean {
  return Object.values(hooks).some((commands) => commands.length > 0)
}

// The schema's words for "one of paths and command" would be hard to understand.
export function wordsOf(path: readonly string[], message: string): string {
  if (path[0] === 'jobs' && path.length === 2 && message.includes('oneOf'))
    return 'needs paths, a source or a command; a command stands alone'
  if (message.includes('pattern "^[A-Za-z0-9][A-Za-z0-9_.-]'))
    return 'has a name that is not made of letters, digits, "-", "_" and "."'
  if (message === 'must be string') return 'must be text; put it in quotes'
  return message
}

export function secretProblems(
  document: ConfigDocument,
  path: readonly string[],
  text: string | undefined,
): ConfigProblem[] {
  if (text === undefined) return []
  const reference = parseSecretReference(text)
  if (typeof reference === 'string') return [document.problem('error', path, reference)]
  if (reference.kind !== 'literal') return []
  const advice =
    'is a secret in the file itself; better env:NAME, file:/path, command:program or keychain:service/account'
  return [document.problem('warning', path, advice)]
}
