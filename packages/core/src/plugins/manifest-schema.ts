const id = {
  type: 'string',
  pattern: '^[a-z0-9][a-z0-9.-]{0,31}$',
  description:
    'Unique among all plugins of the port. Of codecs and ciphers it is written into repositories and means the same for ever.',
}
const configuration = {
  type: 'object',
  description: 'JSON Schema (2020-12) of the options, of type `object`. Without it the contribution takes none.',
}
const workers = {
  type: 'array',
  items: {
    type: 'object',
    required: ['id', 'module'],
    properties: {
      id,
      module: {
        type: 'string',
        pattern: '^\\./(?!.*\\.\\.)',
        description:
          'Path in the package of the module that worker threads import; its default export is the contribution.',
      },
      configuration,
    },
    additionalProperties: false,
  },
}

/** JSON Schema of the key `bkp` in a plugin's package.json. */
export const manifestSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'bkp plugin manifest',
  type: 'object',
  required: ['api', 'displayName', 'contributes'],
  properties: {
    api: {
      type: 'string',
      minLength: 1,
      description:
        'Range of plugin-api that the plugin was written for, e.g. `^1.1.0`. bkp refuses a plugin whose range does not contain its version.',
    },
    displayName: { type: 'string', minLength: 1, description: 'What people call it.' },
    description: { type: 'string', description: 'One sentence for people who choose.' },
    hosts: {
      type: 'array',
      items: { type: 'string', pattern: '^(\\*|(\\*\\.)?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?)$' },
      uniqueItems: true,
      description:
        'Hosts that it talks to: names, `*.example.com`, or `*` for what the user configures; none means no network. Shown before it is installed, not enforced.',
    },
    native: { type: 'boolean', description: 'Whether it or something it depends on is native code.' },
    contributes: {
      type: 'object',
      description: 'What it fills, a list for each port. A port that this bkp does not know is a warning.',
      properties: {
        storage: {
          type: 'array',
          items: {
            type: 'object',
            required: ['id', 'schemes'],
            properties: {
              id,
              schemes: {
                type: 'array',
                minItems: 1,
                items: { type: 'string', pattern: '^[a-z][a-z0-9+.-]*$' },
                description: 'Schemes of its URLs, without the colon.',
              },
              configuration,
            },
            additionalProperties: false,
          },
        },
        compression: workers,
        encryption: workers,
        source: workers,
        notifier: {
          type: 'array',
          items: {
            type: 'object',
            required: ['id'],
            properties: { id, configuration },
            additionalProperties: false,
          },
        },
      },
    },
  },
  additionalProperties: false,
}
