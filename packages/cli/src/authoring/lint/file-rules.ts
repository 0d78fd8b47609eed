import {
  codeFiles,
  contributionsOf,
  errorAt,
  type Finding,
  objectAt,
  type PluginPackage,
  type Rule,
  warningAt,
} from './finding.js'

const notPublished = 'Build it, and name its folder in "files"; npm pack --dry-run shows what is published'

/** Everything that package.json names is in the package. */
export const filesRule: Rule = (plugin) => {
  const findings: Finding[] = []
  const { entry, types } = entryOf(plugin)
  const contributions = contributionsOf(plugin)
  const needsEntry = contributions.some(({ port }) => port === 'storage' || port === 'notifier')
  if (needsEntry && !has(plugin, entry))
    findings.push(errorAt('files', entry, 'the entry is not in the package', notPublished))
  for (const { module, place } of contributions)
    if (module !== undefined && !has(plugin, module))
      findings.push(errorAt('files', `${place}/module`, `${module} is not in the package`, notPublished))
  if (types !== undefined && !has(plugin, types))
    findings.push(warningAt('files', types, 'the types are not in the package', notPublished))
  for (const name of ['README', 'LICENSE'])
    if (!plugin.files.some((file) => new RegExp(`^${name}(\\.\\w+)?$`, 'i').test(file)))
      findings.push(
        warningAt(
          'files',
          name,
          'is missing',
          name === 'README' ? 'Say what it does and which options it takes' : 'Say what others may do with it',
        ),
      )
  return findings
}

/** Entries and worker modules are ES modules with a default export. */
export const moduleRule: Rule = async (plugin) => {
  const findings: Finding[] = []
  const { entry } = entryOf(plugin)
  const modules = contributionsOf(plugin).flatMap(({ module }) => (module === undefined ? [] : [module]))
  const isModule = plugin.json.type === 'module'
  if (!isModule && [entry, ...modules].some((file) => file.endsWith('.js')))
    findings.push(errorAt('module', 'package.json#/type', 'Node takes the code for CommonJS', 'Write "type": "module"'))
  for (const file of new Set([entry, ...modules].map(plain))) {
    if (!plugin.files.includes(file)) continue
    const code = await plugin.read(file)
    const isCommonJs =
      file.endsWith('.cjs') || (/\bmodule\.exports\b|\bexports\.\w+\s*=/.test(code) && !/^\s*export\b/m.test(code))
    if (isCommonJs)
      findings.push(
        errorAt('module', file, 'is CommonJS', 'Compile to ES modules: "module": "NodeNext" in tsconfig.json'),
      )
    else if (!/\bexport\s+default\b|\bas\s+default\b/.test(code))
      findings.push(
        errorAt('module', file, 'has no default export', 'Export the plugin, or the contribution, as default'),
      )
  }
  return findings
}

const brand = /Symbol\.for\((['"`])bkp\.(PortError|Plugin)\1\)/

/** plugin-api is there once, and where users get it. */
export const pluginApiRule: Rule = async (plugin) => {
  const name = '@bkp/plugin-api'
  const { json } = plugin
  const given = ['dependencies', 'peerDependencies'].filter((group) => objectAt(json, group)[name] !== undefined)
  const code = await Promise.all(codeFiles(plugin).map(async (file) => ({ file, text: await plugin.read(file) })))
  const bundled = code.filter(({ text }) => brand.test(text)).map(({ file }) => file)
  const imports = code.some(({ text }) => /(from|import)\s*\(?\s*['"]@bkp\/plugin-api['"]/.test(text))
  const path = 'package.json#/dependencies'
  const findings: Finding[] = []
  if (imports && given.length === 0)
    findings.push(
      errorAt('plugin-api', path, `the code imports ${name}, which users would not get`, `Move it to "dependencies"`),
    )
  if (given.includes('peerDependencies'))
    findings.push(
      warningAt(
        'plugin-api',
        'package.json#/peerDependencies',
        `${name} as a peer may be installed twice, or not at all`,
        'Move it to "dependencies"',
      ),
    )
  if (bundled.length > 1)
    findings.push(
      warningAt(
        'plugin-api',
        bundled.join(', '),
        `${name} is bundled into several files`,
        'Leave it out of bundles, or share one chunk',
      ),
    )
  else if (bundled.length === 1 && given.length > 0)
    findings.push(
      warningAt('plugin-api', bundled[0] ?? '', `${name} is bundled and a dependency as well`, 'Keep one of the two'),
    )
  return findings
}

// Names that stand in code without anybody talking to them.
const harmless =
  /^(localhost|127\.0\.0\.1|\[?::1\]?|.*\.(example|invalid|test|localhost)|(www\.)?example\.(com|org|net)|www\.w3\.org|json-schema\.org|schemas\.\w+\.(org|com)|github\.com|developer\.mozilla\.org)$/i

/** Hosts that stand in the code are declared, and the network is. */
export const hostsRule: Rule = async (plugin) => {
  const declared = objectAt(plugin.json, 'bkp').hosts
  const hosts = Array.isArray(declared) ? declared.map(String) : []
  const findings: Finding[] = []
  for (const file of codeFiles(plugin)) {
    const code = withoutComments(await plugin.read(file))
    const named = [...code.matchAll(/\b(?:https?|wss?|ftp):\/\/([A-Za-z0-9][A-Za-z0-9.-]*[A-Za-z0-9])/g)].map(
      ([, host = '']) => host.toLowerCase(),
    )
    for (const host of new Set(named))
      if (!harmless.test(host) && !isDeclared(host, hosts))
        findings.push(
          warningAt(
            'hosts',
            file,
            `names ${host}, which the manifest does not`,
            `Add "${host}" to "hosts" of the manifest`,
          ),
        )
    const network = /(from|import)\s*\(?\s*['"](?:node:)?(https?|http2|net|tls|dgram)['"]|\bfetch\s*\(/.exec(code)
    if (network !== null && hosts.length === 0)
      findings.push(
        warningAt(
          'hosts',
          file,
          `uses the network (${network[1] === undefined ? 'fetch' : network[2]}), and the manifest declares no hosts`,
          'Write "hosts": the names, or ["*"] for what the user configures',
        ),
      )
  }
  return findings
}

function isDeclared(host: string, hosts: readonly string[]): boolean {
  return hosts.some((one) => one === '*' || one === host || (one.startsWith('*.') && host.endsWith(one.slice(1))))
}

function withoutComments(code: string): string {
  return code.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
}

function entryOf({ json }: PluginPackage): { readonly entry: string; readonly types: string | undefined } {
  const root = objectAt(json, 'exports')['.'] ?? json.exports
  const text = (value: unknown) => (typeof value === 'string' ? value : undefined)
  const conditions = (typeof root === 'object' && root !== null ? root : {}) as Readonly<Record<string, unknown>>
  const entry = text(root) ?? text(conditions.default) ?? text(conditions.import) ?? text(json.main) ?? './index.js'
  return { entry, types: text(conditions.types) ?? text(json.types) }
}

function has({ files }: PluginPackage, path: string): boolean {
  return files.includes(plain(path))
}

function plain(path: string): string {
  return path.replace(/^\.\//, '')
}
