import type { Npm } from './npm.js'

export interface RegistryAnswer {
  /** False only for a signature that is wrong: what the registry does not know is no proof of anything. */
  readonly isSound: boolean
  readonly text: string
}

interface Signatures {
  readonly invalid?: readonly { readonly name: string; readonly version: string }[]
  readonly missing?: readonly { readonly name: string }[]
}

interface Advisories {
  readonly metadata?: { readonly vulnerabilities?: Readonly<Record<string, number>> }
}

/** Asks the registry about the packages in npm's folder: signatures, known vulnerabilities. */
export async function auditByRegistry(npm: Npm): Promise<RegistryAnswer> {
  const signatures = await answerOf<Signatures>(npm, ['audit', 'signatures', '--json'])
  const advisories = await answerOf<Advisories>(npm, ['audit', '--json', '--omit=dev'])
  const invalid = typeof signatures === 'string' ? [] : (signatures.invalid ?? [])
  return {
    isSound: invalid.length === 0,
    text: [signaturesText(signatures), advisoriesText(advisories)].join('; '),
  }
}

/** npm's answer, or why there is none. With findings npm fails, and still answers. */
async function answerOf<T>(npm: Npm, args: readonly string[]): Promise<T | string> {
  const { stdout, stderr } = await npm.ask([...args, '--fetch-retries=0'])
  try {
    const answer = JSON.parse(stdout) as T & { readonly error?: { readonly summary?: string } }
    return answer.error === undefined ? answer : (answer.error.summary ?? 'npm gave no reason')
  } catch {
    const lines = `${stderr}\n${stdout}`.split('\n').map((line) => line.replace(/^npm (error|ERR!) ?/, '').trim())
    return lines.find((line) => line !== '' && !/^code |^npm warn/.test(line)) ?? 'npm said nothing'
  }
}

function signaturesText(answer: Signatures | string): string {
  if (typeof answer === 'string') return `signatures were not checked: ${answer}`
  const { invalid = [], missing = [] } = answer
  if (invalid.length > 0)
    return `WRONG SIGNATURE: ${invalid.map(({ name, version }) => `${name}@${version}`).join(', ')}`
  return missing.length === 0 ? 'signatures are right' : `not signed: ${missing.map(({ name }) => name).join(', ')}`
}

function advisoriesText(answer: Advisories | string): string {
  if (typeof answer === 'string') return `vulnerabilities are not known: ${answer}`
  const counts = Object.entries(answer.metadata?.vulnerabilities ?? {}).filter(
    ([level, n]) => level !== 'total' && n > 0,
  )
  if (counts.length === 0) return 'no known vulnerabilities'
  return `known vulnerabilities: ${counts.map(([level, n]) => `${n} ${level}`).join(', ')}`
}
