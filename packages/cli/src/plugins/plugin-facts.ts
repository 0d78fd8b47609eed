import type { PluginManifest } from '@bkp/plugin-api'

/** Install scripts of one package; they run only where the user allows it. */
export interface PackageScripts {
  readonly package: string
  readonly scripts: readonly string[]
}

/** What is shown before a plugin is approved, and kept with the approval. Text in it is the author's own. */
export interface PluginFacts {
  readonly name: string
  readonly version: string
  readonly displayName: string
  readonly license: string | null
  readonly source: { readonly kind: string; readonly spec: string }
  /** SHA-512 of the tarball; null for a folder that is linked. */
  readonly tarball: string | null
  /** Who uploaded it, as the registry says; null where no registry says anything. */
  readonly publisher: string | null
  /** ISO 8601. */
  readonly published: string | null
  /** Whether the registry has an attestation of where it was built. Nobody verified it. */
  readonly hasAttestation: boolean
  readonly api: string
  /** Ids by port. */
  readonly ports: Readonly<Record<string, readonly string[]>>
  readonly schemes: readonly string[]
  /** As declared. */
  readonly hosts: readonly string[]
  readonly declaresNative: boolean
  /** Files of native code that are there. */
  readonly nativeFiles: readonly string[]
  /** Those that install scripts built, which are not in what is unpacked; missing where none ran. */
  readonly builtFiles?: readonly string[]
  readonly scripts: readonly PackageScripts[]
  readonly scriptsAllowed: boolean
  /** Parts of oclif in its package.json, which bkp never loads. */
  readonly oclif: readonly string[]
  /** Packages that come with it, as `name@version`. */
  readonly dependencies: readonly string[]
}

/** What a package.json says; the rest comes from elsewhere. */
export function factsOfPackage(
  packageJson: Readonly<Record<string, unknown>>,
  manifest: PluginManifest,
): Pick<
  PluginFacts,
  'name' | 'version' | 'displayName' | 'license' | 'api' | 'ports' | 'schemes' | 'hosts' | 'declaresNative' | 'oclif'
> {
  const { name, version, license, oclif } = packageJson
  const { displayName, api, contributes, hosts = [], native = false } = manifest
  const ports = Object.entries(contributes as Readonly<Record<string, readonly { readonly id: string }[] | undefined>>)
  return {
    name: String(name),
    version: String(version),
    displayName,
    license: typeof license === 'string' ? license : null,
    api,
    ports: Object.fromEntries(ports.map(([port, list]) => [port, (list ?? []).map(({ id }) => id)])),
    schemes: (contributes.storage ?? []).flatMap(({ schemes }) => schemes),
    hosts,
    declaresNative: native,
    oclif: typeof oclif === 'object' && oclif !== null ? Object.keys(oclif) : [],
  }
}

const installScripts = ['preinstall', 'install', 'postinstall']

/** Install scripts of a package.json. */
export function scriptsOf({ scripts }: Readonly<Record<string, unknown>>): readonly string[] {
  if (typeof scripts !== 'object' || scripts === null) return []
  return installScripts.filter((name) => Object.hasOwn(scripts, name))
}

/** What npm runs of a package, where scripts may run: a `binding.gyp` without scripts it compiles by itself. */
export function packageScriptsOf(
  json: Readonly<Record<string, unknown>>,
  hasBinding: boolean,
): readonly PackageScripts[] {
  const own = scriptsOf(json)
  const scripts = own.length === 0 && hasBinding ? ['node-gyp rebuild'] : own
  return scripts.length === 0 ? [] : [{ package: String(json.name), scripts }]
}

/** Whether that is the file of a package, and not one of those that some packages have deeper inside, for module types. */
export function isPackageFile(path: string): boolean {
  return /(^|\/)node_modules\/(@[^/]+\/)?[^/]+\/package\.json$/.test(path)
}

/** Whether a file is native code, or what npm would compile into such. */
export function isNative(path: string): boolean {
  return /\.(node|so|dylib|dll|exe)$|(^|\/)binding\.gyp$/.test(path)
}

const dayMs = 86_400_000

/** Rows for people: what, and what is known of it. @param now milliseconds since 1970 */
export function factRows(
  facts: PluginFacts,
  now: number,
  state: 'to-install' | 'installed',
): readonly (readonly [string, string])[] {
  const ports = Object.entries(facts.ports).map(([port, ids]) => `${port} ${ids.join(', ')}`)
  const schemes = facts.schemes.length === 0 ? '' : ` (${facts.schemes.map((scheme) => `${scheme}:`).join(' ')})`
  return [
    ['package', `${facts.name} ${facts.version}: ${facts.displayName}`],
    ['source', `${facts.source.spec} (${facts.source.kind})`],
    ['publisher', facts.publisher ?? 'not known: no registry says who made it'],
    ['age', facts.published === null ? 'not known' : ageText(facts.published, now)],
    ['provenance', provenanceText(facts)],
    ['ports', `${ports.join('; ') || 'none'}${schemes}`],
    ['network', facts.hosts.length === 0 ? 'declares that it uses none' : facts.hosts.map(hostText).join(', ')],
    ['native code', nativeText(facts)],
    ['install scripts', scriptsText(facts, state)],
    ['dependencies', `${facts.dependencies.length === 0 ? 'none' : facts.dependencies.join(', ')}`],
    ...(facts.oclif.length === 0
      ? []
      : ([['oclif', `${facts.oclif.join(', ')} in package.json: never loaded by bkp`]] as const)),
    ['licence', facts.license ?? 'none named'],
    ...(facts.tarball === null ? [] : ([['tarball', facts.tarball]] as const)),
  ]
}

function hostText(host: string): string {
  return host === '*' ? 'any host that you configure' : host
}

function ageText(published: string, now: number): string {
  const days = Math.floor((now - Date.parse(published)) / dayMs)
  const date = published.slice(0, 10)
  if (days < 1) return `published today, ${date}: nobody had much time to look at it`
  return `${days} ${days === 1 ? 'day' : 'days'}, published ${date}`
}

function provenanceText({ source, hasAttestation }: PluginFacts): string {
  if (hasAttestation) return 'the registry has an attestation; not verified'
  return source.kind === 'registry' ? 'none: nothing ties it to a source repository' : 'none'
}

function nativeText({ declaresNative, nativeFiles, builtFiles = [] }: PluginFacts): string {
  const files = [...new Set([...nativeFiles, ...builtFiles])]
  if (files.length === 0) return declaresNative ? 'declared, but none is there yet' : 'none'
  const some = files.slice(0, 3).join(', ') + (files.length > 3 ? ', …' : '')
  return `${some}${declaresNative ? '' : ' (NOT declared by its manifest)'}`
}

function scriptsText({ scripts, scriptsAllowed, source }: PluginFacts, state: 'to-install' | 'installed'): string {
  if (scripts.length === 0) return 'none'
  const list = (scriptList(scripts) ?? []).join(', ')
  if (source.kind === 'link') return `${list}: bkp runs none of a linked folder; npm does when you install there`
  if (!scriptsAllowed) return `${list}: do not run without --allow-scripts`
  return `${list}: ${state === 'installed' ? 'ran when it was installed' : 'WILL RUN, with all your rights, if you say yes'}`
}

/** What a new version has that the approved one had not, and the other way round; for people. */
export function factDifferences(before: Partial<PluginFacts>, after: PluginFacts): readonly string[] {
  const changes: string[] = []
  const single = (what: string, old: unknown, now: unknown) => {
    if (old !== undefined && old !== now) changes.push(`${what}: ${String(old ?? 'none')} → ${String(now ?? 'none')}`)
  }
  const many = (what: string, old: readonly string[] | undefined, now: readonly string[]) => {
    if (old === undefined) return
    for (const added of now.filter((item) => !old.includes(item))) changes.push(`${what}: + ${added}`)
    for (const removed of old.filter((item) => !now.includes(item))) changes.push(`${what}: - ${removed}`)
  }
  single('version', before.version, after.version)
  single('source', before.source?.spec, after.source.spec)
  single('publisher', before.publisher, after.publisher)
  many('port', portList(before.ports), portList(after.ports) ?? [])
  many('scheme', before.schemes, after.schemes)
  many('network', before.hosts, after.hosts)
  many('native code', nativeBefore(before, after), after.nativeFiles)
  many('install script', scriptList(before.scripts), scriptList(after.scripts) ?? [])
  if (after.scripts.length > 0 && before.scriptsAllowed !== undefined && before.scriptsAllowed !== after.scriptsAllowed)
    changes.push(`install scripts: ${after.scriptsAllowed ? 'do not run → WILL RUN' : 'ran → do not run'}`)
  // Of a linked folder only the names are known that its author asked for.
  if ((before.source?.kind === 'link') === (after.source.kind === 'link'))
    many('dependency', before.dependencies, after.dependencies)
  single('attestation', before.hasAttestation, after.hasAttestation)
  single('licence', before.license, after.license)
  return changes
}

// What scripts built is there once it is installed, and never in what is only unpacked.
function nativeBefore({ nativeFiles, builtFiles = [] }: Partial<PluginFacts>, after: PluginFacts) {
  const built = builtFiles.filter((path) => after.nativeFiles.includes(path))
  return nativeFiles && [...nativeFiles.filter((path) => !builtFiles.includes(path)), ...built]
}

function portList(ports: PluginFacts['ports'] | undefined): readonly string[] | undefined {
  if (ports === undefined) return undefined
  return Object.entries(ports).flatMap(([port, ids]) => ids.map((id) => `${port} ${id}`))
}

function scriptList(scripts: PluginFacts['scripts'] | undefined): readonly string[] | undefined {
  return scripts?.map(({ package: name, scripts: all }) => `${name} (${all.join(', ')})`)
}
