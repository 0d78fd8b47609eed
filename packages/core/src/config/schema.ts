import { notificationKinds } from '@bkp/plugin-api'
import type { NotifierDescription, StorageDescription } from './model.js'

export type Schema = Readonly<Record<string, unknown>>

const name = '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$'
const texts = { type: 'array', items: { type: 'string', minLength: 1 } }
const rateText = '(?!0+(\\.0+)?[KMGTkmgt]?(i?[Bb])?(/s)?$)\\d+(\\.\\d+)?[KMGTkmgt]?(i?[Bb])?(/s)?'
const rate = {
  description: 'Bytes per second: 500K, 5M, 1.5G (powers of 1024), a number, or unlimited',
  type: ['string', 'integer'],
  pattern: `^(unlimited|${rateText})$`,
  minimum: 1,
}
const clock = { type: 'string', pattern: '^([01]\\d|2[0-3]):[0-5]\\d$', description: 'Local time, "HH:MM"' }
const rates = { upload: rate, download: rate }
const secret =
  'env:NAME, file:/path, command:program arguments or keychain:service/account; the secret itself is accepted with a warning'

const limits = {
  type: 'object',
  description: 'How fast the destination may be used',
  properties: {
    ...rates,
    schedule: {
      type: 'array',
      description: 'Stretches of the day with rates of their own; the first that fits counts',
      items: {
        type: 'object',
        properties: { from: clock, to: clock, ...rates },
        required: ['from', 'to'],
        additionalProperties: false,
      },
    },
  },
  additionalProperties: false,
}

const patience = {
  type: 'object',
  description: 'How long to wait for the destination before it counts as lost',
  properties: {
    callSeconds: {
      type: 'integer',
      minimum: 1,
      maximum: 3600,
      description: 'For the answer to one call, beside the time that its bytes need; default 60',
    },
    slowest: {
      ...rate,
      pattern: `^${rateText}$`,
      description: 'Bytes per second: a transfer that is slower counts as dead; default 16K',
    },
    retrySeconds: {
      type: 'integer',
      minimum: 0,
      maximum: 86_400,
      description: 'As long is tried again what failed for a reason that may pass; default 120',
    },
  },
  additionalProperties: false,
}

/** As manifests have them: which there are is known when the plugins are. */
const codecId = { type: 'string', pattern: '^[a-z0-9][a-z0-9.-]{0,31}$' }

const compression = {
  description: 'zstd, deflate, none, or what a plugin has; or with a level',
  type: ['string', 'object'],
  properties: { id: codecId, level: { type: 'integer', minimum: 1, maximum: 22 } },
  required: ['id'],
  additionalProperties: false,
  if: { type: 'string' },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  then: codecId,
}

const count = { type: 'integer', minimum: 1 }
const retention = {
  type: 'object',
  description: 'Which snapshots to keep. Checked and kept; nothing is deleted by it yet',
  properties: {
    last: count,
    hourly: count,
    daily: count,
    weekly: count,
    monthly: count,
    yearly: count,
    within: { type: 'string', pattern: '^[1-9]\\d*[hdwmy]$', description: 'e.g. 90d' },
    tags: texts,
  },
  minProperties: 1,
  additionalProperties: false,
}

const hook = { ...texts, description: 'Shell commands, one after the other' }
const job = {
  type: 'object',
  properties: {
    repository: { type: 'string', description: 'Name of a repository above; may be left out when there is one' },
    paths: { ...texts, minItems: 1, description: 'Files and folders; ~/ is the home folder' },
    source: {
      type: 'object',
      description: 'A source of a plugin; paths are what that takes for such',
      properties: {
        use: { ...codecId, description: 'Which source' },
        options: {
          type: 'object',
          description: 'Options of the source; no secrets: they are shown by bkp config show',
        },
      },
      required: ['use'],
      additionalProperties: false,
    },
    command: { type: 'string', minLength: 1, description: 'Back up what a program prints, instead of paths' },
    name: { type: 'string', pattern: '^[^/\\u0000]+$', description: 'File name for the output of the command' },
    excludes: { ...texts, description: 'gitignore patterns' },
    excludeFiles: { ...texts, description: 'Files of gitignore patterns' },
    excludeCaches: { type: 'boolean', description: 'Leave out the content of folders with a CACHEDIR.TAG' },
    excludeLargerThan: {
      type: ['string', 'integer'],
      pattern: '^\\d+(\\.\\d+)?[KMGTkmgt]?(i?[Bb])?$',
      minimum: 1,
      description: 'Leave out files above a size, e.g. 500M',
    },
    oneFileSystem: { type: 'boolean', description: 'Do not enter other file systems' },
    tags: { ...texts, description: 'Labels of the snapshots' },
    host: { type: 'string', minLength: 1, description: 'Name of the machine in the snapshots' },
    compression,
    notify: { ...texts, description: 'Names of the notifiers that are told of it; default: all of them, [] for none' },
    schedule: {
      type: 'string',
      minLength: 1,
      description: 'Cron expression. Checked and kept; nothing runs by it yet',
    },
    retention,
    hooks: {
      type: 'object',
      description: 'Checked and kept; nothing runs them yet',
      properties: { before: hook, after: hook, success: hook, failure: hook },
      additionalProperties: false,
    },
  },
  oneOf: [{ required: ['paths'] }, { required: ['command'] }, { required: ['source'], not: { required: ['paths'] } }],
  additionalProperties: false,
}

/** JSON Schema (draft 2020-12) of the configuration file, with the options of the given storages and notifiers. */
export function configSchema(
  given: readonly StorageDescription[],
  notifiers: readonly NotifierDescription[] = [],
): Schema {
  // In one order, whatever order plugins are found in.
  const storages = [...given].sort((a, b) => (a.id < b.id ? -1 : 1))
  const destination = {
    type: 'object',
    properties: {
      url: { type: 'string', minLength: 1, description: `A folder or a URL: ${schemesText(storages)}` },
      options: { type: 'object', description: 'Options of the storage; secrets by reference' },
      limits,
      patience,
    },
    required: ['url'],
    additionalProperties: false,
    ...optionRules(storages),
  }
  const repository = {
    type: 'object',
    properties: {
      destinations: {
        type: 'object',
        description: 'Where the repository lies; every destination is a full replica',
        minProperties: 1,
        propertyNames: { pattern: name },
        additionalProperties: {
          type: ['string', 'object'],
          minLength: 1,
          if: { type: 'object' },
          // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
          then: { $ref: '#/$defs/destination' },
        },
      },
      require: {
        description: 'How many destinations must have a snapshot for a success',
        type: ['string', 'integer'],
        minimum: 1,
        if: { type: 'string' },
        // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
        then: { const: 'all' },
      },
      password: { type: 'string', minLength: 1, description: `The passphrase: ${secret}` },
      compression,
      cipher: { ...codecId, description: 'aes-256-gcm, xchacha20-poly1305, or what a plugin has' },
    },
    required: ['destinations'],
    additionalProperties: false,
  }
  const named = (kind: string, description: string) => ({
    type: 'object',
    description,
    propertyNames: { pattern: name },
    additionalProperties: { $ref: `#/$defs/${kind}` },
  })
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'bkp configuration',
    type: 'object',
    properties: {
      version: { const: 1, description: 'Version of this format' },
      repositories: named('repository', 'Repositories by name'),
      jobs: named('job', 'Backup jobs by name: bkp backup NAME'),
      notifiers: named('notifier', 'Who is told how runs end, by name; try them: bkp notifiers test'),
    },
    required: ['version'],
    additionalProperties: false,
    $defs: { repository, destination, job, notifier: notifierSchema(notifiers) },
  }
}

function notifierSchema(given: readonly NotifierDescription[]): Schema {
  const notifiers = [...given].sort((a, b) => (a.id < b.id ? -1 : 1))
  const known = notifiers.map(({ id }) => id).join(', ')
  const { callSeconds, retrySeconds } = patience.properties
  return {
    type: 'object',
    properties: {
      use: { type: 'string', minLength: 1, description: `Which notifier${known === '' ? '' : `: ${known}`}` },
      options: { type: 'object', description: 'Options of the notifier; secrets by reference' },
      on: {
        type: 'array',
        items: { enum: [...notificationKinds] },
        minItems: 1,
        uniqueItems: true,
        description: 'What it is told of; default degraded and failed',
      },
      patience: {
        type: 'object',
        description: 'How long to wait for it',
        properties: {
          callSeconds: { ...callSeconds, description: 'For one message; default 30' },
          retrySeconds: { ...retrySeconds, description: 'As long is a message tried again; default 60' },
        },
        additionalProperties: false,
      },
    },
    required: ['use'],
    additionalProperties: false,
    ...rules(notifiers.map(({ id, schema }) => [{ use: { const: id } }, schema] as const)),
  }
}

function schemesText(storages: readonly StorageDescription[]): string {
  return storages.flatMap(({ schemes }) => schemes.map((scheme) => `${scheme}:`)).join(', ')
}

function optionRules(storages: readonly StorageDescription[]): { readonly allOf?: readonly Schema[] } {
  const remote = storages.filter(({ schemes }) => !schemes.includes('file'))
  return rules(remote.map(({ schemes, schema }) => [{ url: { pattern: `^(${schemes.join('|')}):` } }, schema] as const))
}

/** What `options` are where another property has a certain value. */
function rules(cases: readonly (readonly [Schema, Schema | undefined])[]): { readonly allOf?: readonly Schema[] } {
  const made = cases.flatMap(([properties, schema]): Schema[] => {
    if (schema === undefined) return []
    const options = writtenOptions(schema)
    // References in it are to its own parts, which would lie elsewhere here.
    if (JSON.stringify(options).includes('"$ref"')) return []
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    return [{ if: { properties, required: Object.keys(properties) }, then: { properties: { options } } }]
  })
  return made.length === 0 ? {} : { allOf: made }
}

/** Options as they are written in the file: secrets are references, and what is required may come from elsewhere. */
export function writtenOptions(schema: Schema): Schema {
  const properties = (schema.properties ?? {}) as Readonly<Record<string, Schema>>
  const written = Object.entries(properties).map(([key, property]): [string, Schema] => {
    if (property['x-bkp-secret'] !== true) return [key, property]
    const description = typeof property.description === 'string' ? `${property.description}: ${secret}` : secret
    return [key, { type: 'string', minLength: 1, description, 'x-bkp-secret': true }]
  })
  const { $defs, additionalProperties } = schema
  return {
    type: 'object',
    properties: Object.fromEntries(written),
    ...(additionalProperties === undefined ? {} : { additionalProperties }),
    ...($defs === undefined ? {} : { $defs }),
  }
}
