import { type Document, isMap, isScalar, parseDocument, visit, YAMLMap } from 'yaml'
import { BkpError } from '../errors/index.js'
import { schemeOf } from './destination-url.js'
import type { NotifierDescription, StorageDescription } from './model.js'
import { isSecretProperty, propertiesOf } from './schema-parts.js'
import { parseSecretReference, shownSecret } from './secret-reference.js'

/** What a new file begins with; editors take the schema from it. */
export function newConfigText(schemaPath: string): string {
  return `# yaml-language-server: $schema=${schemaPath}\nversion: 1\nrepositories: {}\njobs: {}\n`
}

export interface WrittenDestination {
  readonly url: string
  readonly options?: Readonly<Record<string, unknown>>
}

/**
 * Puts a destination into the text of a configuration, and its repository if it is missing. Comments and order stay.
 * @throws BkpError `usage` when there is one of that name
 */
export function addDestination(text: string, repository: string, name: string, written: WrittenDestination): string {
  return edited(text, (document) => {
    const path = ['repositories', repository, 'destinations', name]
    if (document.hasIn(path)) {
      throw new BkpError('usage', `The repository ${repository} has a destination ${name} already`, {
        hint: `Choose another name, or remove it first: bkp destinations remove ${name}`,
      })
    }
    for (const depth of [1, 2, 3]) makeMap(document, path.slice(0, depth))
    const { url, options = {} } = written
    document.setIn(path, document.createNode(Object.keys(options).length === 0 ? { url } : { url, options }))
  })
}

/** Takes a destination out, and its repository when it was the last one. */
export function removeDestination(text: string, repository: string, name: string): string {
  return edited(text, (document) => {
    const destinations = ['repositories', repository, 'destinations']
    if (!document.deleteIn([...destinations, name])) throw notThere(repository, name)
    const rest = document.getIn(destinations)
    if (isMap(rest) && rest.items.length === 0) document.deleteIn(['repositories', repository])
  })
}

/** Sends a destination elsewhere, as after a migration. Its limits stay; options, if given, replace the old ones. */
export function moveDestination(text: string, repository: string, name: string, to: WrittenDestination): string {
  return edited(text, (document) => {
    const path = ['repositories', repository, 'destinations', name]
    const old = document.getIn(path)
    if (old === undefined) throw notThere(repository, name)
    if (!isMap(old)) document.setIn(path, document.createNode({ url: to.url }))
    document.setIn([...path, 'url'], to.url)
    document.deleteIn([...path, 'options'])
    if (to.options !== undefined) document.setIn([...path, 'options'], document.createNode(to.options))
  })
}

/** A place of a secret in the file. */
export interface SecretPlace {
  readonly path: readonly string[]
  readonly text: string
}

/**
 * Every secret of a valid configuration: passphrases and secret options. Of a storage or notifier that no plugin here knows,
 * every option counts as one.
 */
export function secretPlaces(
  text: string,
  storages: readonly StorageDescription[],
  notifiers: readonly NotifierDescription[] = [],
): readonly SecretPlace[] {
  const document = parseDocument(text, { prettyErrors: false })
  const places: SecretPlace[] = []
  const { repositories = {}, notifiers: written = {} } = (document.toJS() ?? {}) as WrittenConfig
  for (const [name, notifier] of Object.entries(written ?? {})) {
    const known = notifiers.find(({ id }) => id === notifier?.use)
    places.push(...secretOptions(['notifiers', name, 'options'], notifier?.options, known))
  }
  for (const [name, { password, destinations = {} }] of Object.entries(repositories ?? {})) {
    if (typeof password === 'string') places.push({ path: ['repositories', name, 'password'], text: password })
    for (const [destination, written] of Object.entries(destinations)) {
      if (typeof written !== 'object' || written === null) continue
      const storage = storages.find(({ schemes }) => schemes.includes(schemeOf(written.url)))
      places.push(
        ...secretOptions(['repositories', name, 'destinations', destination, 'options'], written.options, storage),
      )
    }
  }
  return places
}

/** @param described undefined when no plugin here knows the options: then every one counts as a secret */
function secretOptions(
  path: readonly string[],
  options: Readonly<Record<string, unknown>> | undefined,
  described: { readonly schema?: Readonly<Record<string, unknown>> } | undefined,
): readonly SecretPlace[] {
  const properties = propertiesOf(described?.schema ?? {})
  return Object.entries(options ?? {})
    .filter(([option]) => described === undefined || isSecretProperty(properties[option]))
    .map(([option, value]) => ({
      path: [...path, option],
      text: typeof value === 'string' ? value : JSON.stringify(value),
    }))
}

interface WrittenConfig {
  readonly repositories?: Readonly<Record<string, WrittenRepository>>
  readonly notifiers?: Readonly<
    Record<string, { readonly use?: string; readonly options?: Readonly<Record<string, unknown>> } | null>
  >
}

interface WrittenRepository {
  readonly password?: unknown
  readonly destinations?: Readonly<Record<string, string | WrittenDestination | null>>
}

/** The text with other secrets in it. `undefined` takes a secret out. Comments go: nobody knows what is in them. */
export function withSecrets(
  text: string,
  places: readonly SecretPlace[],
  replace: (place: SecretPlace) => { readonly text: string; readonly comment?: string } | undefined,
): string {
  const document = parseDocument(text, { prettyErrors: false })
  dropComments(document)
  for (const place of places) {
    const made = replace(place)
    if (made === undefined) {
      document.deleteIn(place.path)
      continue
    }
    const node = document.createNode(made.text)
    if (made.comment !== undefined && isScalar(node)) node.comment = ` ${made.comment}`
    document.setIn(place.path, node)
  }
  return document.toString()
}

/** The text of a valid configuration as everybody may see it: references stay, secrets and comments do not. */
export function redactedConfig(
  text: string,
  storages: readonly StorageDescription[],
  notifiers: readonly NotifierDescription[] = [],
): string {
  return withSecrets(text, secretPlaces(text, storages, notifiers), ({ text: secret }) => ({
    text: shownSecret(secret),
  }))
}

/** The values of a valid configuration. */
export function configValues(text: string): unknown {
  return parseDocument(text, { prettyErrors: false }).toJS()
}

/** Whether a secret stands in the file itself. */
export function isLiteralSecret({ text }: SecretPlace): boolean {
  const reference = parseSecretReference(text)
  return typeof reference !== 'string' && reference.kind === 'literal'
}

function dropComments(document: Document): void {
  document.comment = null
  document.commentBefore = null
  visit(document, {
    Node: (_, node) => {
      node.comment = null
      node.commentBefore = null
    },
  })
}

function edited(text: string, change: (document: Document) => void): string {
  const document = parseDocument(text, { prettyErrors: false })
  change(document)
  return document.toString({ lineWidth: 0 })
}

function makeMap(document: Document, path: readonly string[]): void {
  const there = document.getIn(path)
  if (isMap(there)) there.flow = false
  else document.setIn(path, new YAMLMap())
}

function notThere(repository: string, name: string): BkpError {
  return new BkpError('usage', `The repository ${repository} has no destination ${name}`, {
    hint: 'See what there is: bkp destinations list',
  })
}
