import type { InstalledFacts } from '../../plugins/dependency-facts.js'

/** Something that would fail, or hurt, at the users of a plugin. */
export interface Finding {
  readonly level: 'error' | 'warning'
  /** Name of the rule; stays the same from version to version. */
  readonly rule: string
  /** A file of the package, or a place in one: `package.json#/bkp/api`. */
  readonly path: string
  readonly message: string
  /** How to mend it. */
  readonly hint: string
}

/** What a rule may look at: the package as it would be published. No code of it runs. */
export interface PluginPackage {
  readonly json: Readonly<Record<string, unknown>>
  /** Paths as `dist/index.js`, of everything that would be published. */
  readonly files: readonly string[]
  /** Of what it depends on, where that is installed beside it or inside of it. */
  readonly installed: InstalledFacts
  /** Text of one of `files`. */
  read(path: string): Promise<string>
}

/** A name that is not free any more. */
export interface TakenName {
  readonly port: string
  readonly name: string
  readonly packageName: string
}

export interface LintContext {
  /** Names that plugins have which come with bkp. */
  readonly taken: readonly TakenName[]
}

export type Rule = (plugin: PluginPackage, context: LintContext) => readonly Finding[] | Promise<readonly Finding[]>

export function errorAt(rule: string, path: string, message: string, hint: string): Finding {
  return { level: 'error', rule, path, message, hint }
}

export function warningAt(rule: string, path: string, message: string, hint: string): Finding {
  return { level: 'warning', rule, path, message, hint }
}

/** The object at a key, or an empty one: a rule of its own says what is wrong with it. */
export function objectAt(value: unknown, key: string): Readonly<Record<string, unknown>> {
  const inner = (value as Readonly<Record<string, unknown>> | undefined)?.[key]
  return typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? (inner as Record<string, unknown>) : {}
}

/** One contribution of a manifest, with the place where it stands. */
export interface ListedContribution {
  readonly port: string
  readonly place: string
  readonly id: string
  readonly module: string | undefined
  readonly schemes: readonly string[]
  readonly configuration: Readonly<Record<string, unknown>> | undefined
}

/** All contributions, as far as they have the form of one. */
export function contributionsOf({ json }: PluginPackage): readonly ListedContribution[] {
  const contributes = objectAt(objectAt(json, 'bkp'), 'contributes')
  return Object.entries(contributes).flatMap(([port, list]) =>
    (Array.isArray(list) ? list : []).flatMap((one: unknown, n): ListedContribution[] => {
      if (typeof one !== 'object' || one === null) return []
      const { id, module, schemes, configuration } = one as Readonly<Record<string, unknown>>
      return [
        {
          port,
          place: `package.json#/bkp/contributes/${port}/${n}`,
          id: String(id),
          module: typeof module === 'string' ? module : undefined,
          schemes: Array.isArray(schemes) ? schemes.map(String) : [],
          configuration:
            typeof configuration === 'object' && configuration !== null
              ? (configuration as Record<string, unknown>)
              : undefined,
        },
      ]
    }),
  )
}

/** Code of the package that runs at users. */
export function codeFiles({ files }: PluginPackage): readonly string[] {
  return files.filter((file) => /\.[cm]?js$/.test(file) && !file.startsWith('node_modules/'))
}
