const id = { type: 'string', pattern: '^[a-z0-9][a-z0-9.-]{0,31}$' }
const configuration = { type: 'object' }
const workers = {
  type: 'array',
  items: {
    type: 'object',
    required: ['id', 'module'],
    properties: { id, module: { type: 'string', pattern: '^\\./(?!.*\\.\\.)' }, configuration },
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
    api: { type: 'string', minLength: 1 },
    displayName: { type: 'string', minLength: 1 },
    description: { type: 'string' },
    hosts: {
      type: 'array',
      items: { type: 'string', pattern: '^(\\*|(\\*\\.)?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?)$' },
      uniqueItems: true,
    },
    native: { type: 'boolean' },
    contributes: {
      type: 'object',
      properties: {
        storage: {
          type: 'array',
          items: {
            type: 'object',
            required: ['id', 'schemes'],
            properties: {
              id,
              schemes: { type: 'array', minItems: 1, items: { type: 'string', pattern: '^[a-z][a-z0-9+.-]*$' } },
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
