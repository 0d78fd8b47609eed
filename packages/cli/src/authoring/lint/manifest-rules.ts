import { contributionsOf, errorAt, type Finding, objectAt, type Rule, warningAt } from './finding.js'

/** The manifest is what bkp would accept, and contributes something that it knows. */
export const manifestRule: Rule = async ({ json }) => {
  const { knownPorts, manifestFaults } = await import('@bkp/core/authoring')
  const rule = 'manifest'
  if (json.bkp === undefined)
    return [
      errorAt(rule, 'package.json#/bkp', 'there is no manifest', 'Write the key "bkp"; see docs/plugins/manifest.md'),
    ]
  const faults = (await manifestFaults(json.bkp)).map((fault) => {
    const [place = '', ...reason] = fault.split(' ')
    return errorAt(rule, `package.json#/${place}`, reason.join(' '), 'See docs/plugins/manifest.md')
  })
  const ports = Object.keys(objectAt(objectAt(json, 'bkp'), 'contributes'))
  const unknown = ports
    .filter((port) => !knownPorts.some((known) => known === port))
    .map((port) =>
      errorAt(
        rule,
        `package.json#/bkp/contributes/${port}`,
        'no version of bkp knows this port',
        `Ports are ${knownPorts.join(', ')}`,
      ),
    )
  const nothing =
    faults.length === 0 && ports.length === 0
      ? [errorAt(rule, 'package.json#/bkp/contributes', 'the plugin contributes nothing', 'Name at least one port')]
      : []
  return [...faults, ...unknown, ...nothing]
}

/** Schemas of configurations can check something. */
export const schemaRule: Rule = async (plugin) => {
  const { configurationSchemaFault } = await import('@bkp/core/authoring')
  const findings: Finding[] = []
  for (const { place, configuration } of contributionsOf(plugin)) {
    if (configuration === undefined) continue
    const path = `${place}/configuration`
    const fault = await configurationSchemaFault(configuration)
    if (fault !== undefined)
      findings.push(
        errorAt('schema', path, fault, 'JSON Schema 2020-12 of type "object", and x-bkp-secret, x-bkp-env, x-bkp-ask'),
      )
    if (configuration.additionalProperties !== false)
      findings.push(
        warningAt('schema', path, 'misspelt options would pass unnoticed', 'Write "additionalProperties": false'),
      )
  }
  return findings
}

const rangeTexts = {
  invalid: ['error', 'is no range of versions'],
  'excludes-present': ['error', 'does not contain the version of this bkp'],
  'too-narrow': ['warning', 'ends before the next minor version, which breaks nothing'],
  'too-wide': ['warning', 'contains the next major version, which may break the plugin'],
} as const

/** Ranges of plugin-api fit this bkp and those to come, in the manifest and among the dependencies. */
export const apiRangeRule: Rule = async ({ json }) => {
  const { rangeFault } = await import('@bkp/core/authoring')
  const { apiVersion } = await import('@bkp/plugin-api')
  const findings: Finding[] = []
  const check = (place: string, range: unknown) => {
    const fault = rangeFault(range)
    if (fault === undefined) return
    const [level, reason] = rangeTexts[fault]
    const message = `${JSON.stringify(range)} ${reason}`
    findings.push({
      level,
      rule: 'api-range',
      path: `package.json#/${place}`,
      message,
      hint: `Write "^${apiVersion}", or the least version of that major that is enough`,
    })
  }
  if (json.bkp !== undefined) check('bkp/api', objectAt(json, 'bkp').api)
  const name = '@bkp/plugin-api'
  const bundled = [json.bundleDependencies, json.bundledDependencies].some(
    (list) => Array.isArray(list) && list.includes(name),
  )
  const given = (['dependencies', 'peerDependencies'] as const).filter(
    (group) => objectAt(json, group)[name] !== undefined,
  )
  for (const group of given) {
    const place = `${group}/${name.replace('/', '~1')}`
    const range = String(objectAt(json, group)[name])
    if (!/^(file|link|workspace|portal):/.test(range)) check(place, range)
    else if (bundled)
      findings.push(
        warningAt(
          'api-range',
          `package.json#/${place}`,
          `${JSON.stringify(range)} is of this machine; users get the copy in the tarball`,
          `Write "^${apiVersion}" before you publish, once it is in the registry`,
        ),
      )
    else
      findings.push(
        errorAt(
          'api-range',
          `package.json#/${place}`,
          `${JSON.stringify(range)} is there on this machine only`,
          `Write "^${apiVersion}", or add it to bundleDependencies`,
        ),
      )
  }
  return findings
}
