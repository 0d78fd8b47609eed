import {
  contributionsOf,
  errorAt,
  type Finding,
  type ListedContribution,
  objectAt,
  type Rule,
  warningAt,
} from './finding.js'

const inThreads = ['compression', 'encryption', 'source']

/** Options that are secrets are called so, and are there only where bkp can keep them. */
export const secretRule: Rule = (plugin) =>
  contributionsOf(plugin).flatMap((contribution) => {
    const path = `${contribution.place}/configuration`
    const names = Object.entries(objectAt(contribution.configuration, 'properties'))
    return inThreads.includes(contribution.port)
      ? [
          ...markedInVain(contribution, path),
          ...names.flatMap((named) => shownInThreads(path, contribution.port, named)),
        ]
      : names.flatMap((named) => unmarked(path, named))
  })

type Named = readonly [name: string, property: unknown]

/** Options of storages and notifiers: a secret has to be marked. */
function unmarked(path: string, [name, property]: Named): Finding[] {
  const place = `${path}/properties/${name}`
  const hint = 'Write "x-bkp-secret": true, or false if it is none'
  const likeness = likenessOf(name, property)
  if (likeness === 'certain') return [errorAt('secret', place, 'looks like a secret and would be shown', hint)]
  if (likeness === 'possible') return [warningAt('secret', place, 'may be a secret, and would be shown', hint)]
  return []
}

/** Options of sources, codecs and ciphers are plain data wherever they stand: no mark would hide one. */
function shownInThreads(path: string, port: string, [name, property]: Named): Finding[] {
  if (likenessOf(name, property) === undefined) return []
  const place = `${path}/properties/${name}`
  const message = `looks like a secret, and options of a ${port} are shown`
  return [warningAt('secret', place, message, `${elsewhere}; if it is none, write "x-bkp-secret": false`)]
}

const elsewhere = 'Let an option name a file or an environment variable, and read the secret from there'

function markedInVain({ port, configuration }: ListedContribution, path: string): Finding[] {
  const findings: Finding[] = []
  const visit = (value: unknown, place: string): void => {
    if (typeof value !== 'object' || value === null) return
    for (const [key, inner] of Object.entries(value)) {
      if (key === 'x-bkp-secret' && inner === true) {
        const message = `is a secret, and options of a ${port} cannot be: bkp refuses it`
        findings.push(errorAt('secret', place, message, elsewhere))
      } else if (key === 'x-bkp-env' || key === 'x-bkp-ask') {
        const message = `${key} has no effect on options of a ${port}`
        findings.push(warningAt('schema', place, message, 'Leave it out'))
      } else visit(inner, `${place}/${key}`)
    }
  }
  visit(configuration, path)
  return findings
}

function likenessOf(name: string, property: unknown): 'certain' | 'possible' | undefined {
  const { type, 'x-bkp-secret': isSecret } = (property ?? {}) as Readonly<Record<string, unknown>>
  if (isSecret !== undefined || (type !== undefined && type !== 'string')) return undefined
  if (/(password|passphrase|secret|token)$/i.test(name)) return 'certain'
  return /(^key|Key|_key|-key)$/.test(name) ? 'possible' : undefined
}
