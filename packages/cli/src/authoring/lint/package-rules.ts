import { packageNameFault } from '../plugin-kind.js'
import { contributionsOf, errorAt, type Finding, objectAt, type Rule, warningAt } from './finding.js'

/** Names belong to this plugin alone. */
export const namesRule: Rule = (plugin, { taken }) => {
  const name = String(plugin.json.name ?? '')
  const isOurs = taken.some((one) => one.packageName === name)
  const fault = isOurs ? undefined : packageNameFault(name)
  const findings: Finding[] =
    fault === undefined ? [] : [errorAt('names', 'package.json#/name', `"${name}" ${fault}`, 'Choose another name')]
  const claim = (path: string, port: string, wanted: string) => {
    const owner = taken.find((one) => one.port === port && one.name === wanted && one.packageName !== name)
    if (owner === undefined) return
    const what = port === 'scheme' ? `scheme ${wanted}:` : `${port} "${wanted}"`
    findings.push(
      errorAt('names', path, `the ${what} is that of ${owner.packageName}, which comes with bkp`, 'Choose another'),
    )
  }
  for (const { port, place, id, schemes } of contributionsOf(plugin)) {
    claim(`${place}/id`, port, id)
    for (const scheme of schemes) claim(`${place}/schemes`, 'scheme', scheme)
    if (port === 'compression' && id === 'none')
      findings.push(errorAt('names', `${place}/id`, '"none" means that nothing is compressed', 'Choose another'))
  }
  return findings
}

/** What people look at before they install, and npm needs. */
export const metadataRule: Rule = ({ json }) => {
  const findings: Finding[] = []
  if (typeof json.version !== 'string')
    findings.push(errorAt('metadata', 'package.json#/version', 'there is no version', 'Write for example "0.1.0"'))
  if (json.private === true)
    findings.push(warningAt('metadata', 'package.json#/private', 'npm refuses to publish it', 'Leave "private" out'))
  if (typeof json.license !== 'string')
    findings.push(
      warningAt('metadata', 'package.json#/license', 'nobody knows whether they may use it', 'Write for example "MIT"'),
    )
  if (typeof objectAt(json, 'engines').node !== 'string')
    findings.push(
      warningAt(
        'engines',
        'package.json#/engines',
        'versions of Node that are too old fail with a riddle',
        'Write "engines": { "node": ">=20.19.0" }',
      ),
    )
  if (!(Array.isArray(json.keywords) && json.keywords.includes('bkp-plugin')))
    findings.push(
      warningAt(
        'metadata',
        'package.json#/keywords',
        'people who search for plugins do not find it',
        'Add the keyword "bkp-plugin"',
      ),
    )
  return findings
}

/** Where a cipher is missing, its id is all that a repository tells of the package. */
export const findableRule: Rule = (plugin) => {
  const { name, description, keywords } = plugin.json
  const told = [name, description, ...(Array.isArray(keywords) ? keywords : [])].join(' ')
  return contributionsOf(plugin)
    .filter(({ port, id }) => port === 'encryption' && !told.includes(id))
    .map(({ id }) =>
      warningAt(
        'metadata',
        'package.json#/keywords',
        `who has a repository and not the cipher can search for "${id}" alone, and does not find the package`,
        `Add the keyword "${id}"`,
      ),
    )
}

/** bkp loads plugins by itself: what oclif would load is never run. */
export const oclifRule: Rule = ({ json }) =>
  json.oclif === undefined
    ? []
    : [errorAt('oclif', 'package.json#/oclif', 'hooks and commands of plugins are never run', 'Remove the key "oclif"')]

/** Scripts do not run when users install, unless they allow it. */
export const scriptsRule: Rule = ({ json, files }) => {
  const level = objectAt(json, 'bkp').native === true ? warningAt : errorAt
  const hint = 'Ship what it would build, e.g. prebuilt binaries in optionalDependencies'
  const scripts = ['preinstall', 'install', 'postinstall'].filter(
    (name) => objectAt(json, 'scripts')[name] !== undefined,
  )
  const findings = scripts.map((name) =>
    level(
      'scripts',
      `package.json#/scripts/${name}`,
      'does not run unless the user allows it, so the plugin has to work without',
      hint,
    ),
  )
  if (files.includes('binding.gyp'))
    findings.push(
      level(
        'scripts',
        'binding.gyp',
        'makes npm compile when it installs, which does not run unless the user allows it',
        hint,
      ),
    )
  const binary = files.find((file) => file.endsWith('.node'))
  if (binary !== undefined && objectAt(json, 'bkp').native !== true)
    findings.push(
      errorAt(
        'native',
        binary,
        'is native code, and the manifest does not say so',
        'Write "native": true in the manifest',
      ),
    )
  return findings
}

/** What users get with the dependencies is shown to them as well. */
export const dependenciesRule: Rule = ({ json, files, installed: { nativeFiles, scripts } }) => {
  const findings = scripts.map(({ package: name, scripts: all }) =>
    warningAt(
      'scripts',
      'package.json#/dependencies',
      `install scripts of ${name} (${all.join(', ')}) do not run unless users say --allow-scripts`,
      'Tell them so in the README, or depend on packages that have prebuilt binaries in optionalDependencies',
    ),
  )
  // Those that are in the package itself are an error already.
  const native = nativeFiles.filter((file) => !files.includes(file) || !file.endsWith('.node'))
  const [first] = native
  if (first !== undefined && objectAt(json, 'bkp').native !== true)
    findings.push(
      warningAt(
        'native',
        'package.json#/bkp/native',
        `a dependency is native code (${first}${native.length > 1 ? ', …' : ''}), and users see that the manifest does not say so`,
        'Write "native": true in the manifest',
      ),
    )
  return findings
}
