import { environmentNameOf, isSecretProperty, propertiesOf } from '@bkp/core/config'
import type { JsonSchema, PluginManifest } from '@bkp/plugin-api'

const ports = ['storage', 'compression', 'encryption', 'source', 'notifier'] as const

/** The options of everything that a plugin contributes: of what, their names, what they are. */
export function optionRows({ contributes }: PluginManifest): string[][] {
  return ports.flatMap((port) =>
    (contributes[port] ?? []).flatMap(({ id, configuration = {} }) =>
      Object.entries(propertiesOf(configuration)).map(([name, property]) => [
        `${port} ${id}`,
        name,
        toldOf(property, [configuration.required].flat().includes(name)),
      ]),
    ),
  )
}

function toldOf(property: JsonSchema, isRequired: boolean): string {
  const { description, default: usual } = property
  const variable = environmentNameOf(property)
  const traits = [
    ...(isRequired ? ['needed'] : []),
    ...(isSecretProperty(property) ? ['secret'] : []),
    ...(usual === undefined ? [] : [`default ${JSON.stringify(usual)}`]),
    ...(variable === undefined ? [] : [`else from ${variable}`]),
  ].join(', ')
  return [...(typeof description === 'string' ? [description] : []), ...(traits === '' ? [] : [`(${traits})`])].join(
    ' ',
  )
}
