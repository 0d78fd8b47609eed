import { readFileSync } from 'node:fs'
import { isSecret, PortError, Secret } from '@bkp/plugin-api'

const mebibyte = 1_048_576

/** The configuration of package.json, with its defaults. */
export interface B2Options {
  readonly applicationKeyId: string
  readonly applicationKey: Secret
  readonly realmUrl: string
  /** Certificates in PEM that are trusted beside the usual ones. */
  readonly ca: string | undefined
  readonly removeBy: 'delete' | 'hide'
  readonly oldVersions: 'delete' | 'keep'
  readonly fileLock: FileLock | undefined
  readonly serverSideEncryption: 'none' | 'SSE-B2'
  readonly largeFileThresholdBytes: number
  /** Undefined for what B2 recommends. */
  readonly partBytes: number | undefined
  readonly concurrency: number
  readonly listPageSize: number
  readonly testMode: string | undefined
}

export interface FileLock {
  readonly mode: 'governance' | 'compliance'
  readonly days: number
  /** Prefixes of keys that are not locked: they are replaced or removed in the normal course of things. */
  readonly exceptPrefixes: readonly string[]
}

/** @throws PortError `config` for what no schema can check */
export function readOptions(configuration: Readonly<Record<string, unknown>>): B2Options {
  const text = (name: string) => {
    const value = configuration[name]
    return typeof value === 'string' && value !== '' ? value : undefined
  }
  const number = (name: string) => {
    const value = configuration[name]
    return typeof value === 'number' ? value : undefined
  }
  const partMiB = number('partSizeMiB')
  const caPath = text('ca')
  return {
    ...readKey(text('applicationKeyId'), configuration.applicationKey),
    realmUrl: (text('realmUrl') ?? 'https://api.backblazeb2.com').replace(/\/+$/, ''),
    ca: caPath === undefined ? undefined : readCertificates(caPath),
    removeBy: text('removeBy') === 'hide' ? 'hide' : 'delete',
    oldVersions: text('oldVersions') === 'keep' ? 'keep' : 'delete',
    fileLock: readFileLock(text('fileLockMode'), number('fileLockDays'), text('fileLockExcept')),
    serverSideEncryption: text('serverSideEncryption') === 'SSE-B2' ? 'SSE-B2' : 'none',
    largeFileThresholdBytes: Math.round((number('largeFileThresholdMiB') ?? 200) * mebibyte),
    partBytes: partMiB === undefined ? undefined : Math.round(partMiB * mebibyte),
    concurrency: number('concurrency') ?? 8,
    listPageSize: number('listPageSize') ?? 10_000,
    testMode: text('testMode'),
  }
}

function readKey(id: string | undefined, key: unknown): Pick<B2Options, 'applicationKeyId' | 'applicationKey'> {
  const secret = isSecret(key) ? key : typeof key === 'string' ? new Secret(key) : undefined
  if (id === undefined || secret === undefined) {
    throw new PortError('config', 'B2 needs an application key and its ID', {
      hint: 'Set B2_APPLICATION_KEY_ID and B2_APPLICATION_KEY, or applicationKeyId and applicationKey in the configuration',
    })
  }
  return { applicationKeyId: id, applicationKey: secret }
}

function readFileLock(mode: string | undefined, days: number | undefined, except = 'sessions/,condemned/') {
  if (mode !== 'governance' && mode !== 'compliance') return undefined
  if (days === undefined) {
    throw new PortError('config', 'fileLockMode says how to lock files, but not for how long', {
      hint: 'Set fileLockDays to a number of days',
    })
  }
  return { mode, days, exceptPrefixes: except.split(',').filter((prefix) => prefix !== '') } as const
}

function readCertificates(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new PortError('config', `Cannot read the certificates of ca=${path}: ${(cause as Error).message}`, { cause })
  }
}
