import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { glob } from 'ssh-config'

/** One line of a known_hosts file; see sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT". */
export interface KnownHost {
  readonly file: string
  /** From 1. */
  readonly line: number
  readonly isRevoked: boolean
  /** Patterns separated by commas, or one hashed name. */
  readonly names: string
  readonly keyType: string
  /** The key in base64. */
  readonly key: string
}

export type HostKeyVerdict =
  | { readonly kind: 'known' }
  | { readonly kind: 'unknown' }
  /** Other keys are known for the host, e.g. this one. */
  | { readonly kind: 'changed'; readonly known: KnownHost }
  | { readonly kind: 'revoked'; readonly known: KnownHost }

/** Lines that are no keys of hosts are left out, among them authorities of certificates, which ssh2 does not know. */
export function parseKnownHosts(text: string, file: string): KnownHost[] {
  return text.split('\n').flatMap((line, index) => {
    const fields = line.trim().split(/\s+/)
    const marker = fields[0]?.startsWith('@') ? fields.shift() : undefined
    const [names, keyType, key] = fields
    if (names === undefined || keyType === undefined || key === undefined || names.startsWith('#')) return []
    if (marker !== undefined && marker !== '@revoked') return []
    return [{ file, line: index + 1, isRevoked: marker === '@revoked', names, keyType, key }]
  })
}

/** How known_hosts calls a host: another port than 22 is part of the name. */
export function knownHostName(host: string, port: number): string {
  const lower = host.toLowerCase()
  return port === 22 ? lower : `[${lower}]:${port}`
}

/** What known_hosts says about the key that a host has shown. A host of which any key is known must show a known one. */
export function judgeHostKey(known: readonly KnownHost[], host: string, port: number, key: Uint8Array): HostKeyVerdict {
  const text = Buffer.from(key).toString('base64')
  const ofHost = known.filter((entry) => isNamed(entry, knownHostName(host, port)))
  // As ssh does: a key that is known for the host on its usual port is as good.
  const trusted = [...ofHost, ...known.filter((entry) => isNamed(entry, knownHostName(host, 22)))]
  const same = trusted.filter((entry) => entry.key === text)
  const revoked = same.find((entry) => entry.isRevoked)
  if (revoked !== undefined) return { kind: 'revoked', known: revoked }
  if (same.length > 0) return { kind: 'known' }
  const other = ofHost.find((entry) => !entry.isRevoked)
  return other === undefined ? { kind: 'unknown' } : { kind: 'changed', known: other }
}

/** Algorithms of host keys, those first for which known_hosts has a key of the host: a server may have several keys. */
export function preferredHostKeyAlgorithms(known: readonly KnownHost[], host: string, port: number): string[] {
  const types = known
    .filter((entry) => !entry.isRevoked && isNamed(entry, knownHostName(host, port)))
    .map(({ keyType }) => keyType)
  const isKnown = (algorithm: string) => types.includes(algorithm.startsWith('rsa-') ? 'ssh-rsa' : algorithm)
  return [...algorithms.filter(isKnown), ...algorithms.filter((algorithm) => !isKnown(algorithm))]
}

const algorithms = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
]

/** As ssh and ssh-keygen -l show keys. */
export function fingerprintOf(key: Uint8Array): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`
}

/** The type that a key says it has, e.g. `ssh-ed25519`. */
export function keyTypeOf(key: Uint8Array): string {
  const bytes = Buffer.from(key)
  return bytes.length < 4 ? '' : bytes.toString('latin1', 4, 4 + bytes.readUInt32BE(0))
}

/** A line for known_hosts, without its end. */
export function knownHostLine(host: string, port: number, key: Uint8Array, naming: 'plain' | 'hashed'): string {
  const name = knownHostName(host, port)
  const shown = naming === 'plain' ? name : hashedName(name, randomBytes(20))
  return `${shown} ${keyTypeOf(key)} ${Buffer.from(key).toString('base64')}`
}

function isNamed({ names }: KnownHost, name: string): boolean {
  if (!names.startsWith('|')) return glob(names.toLowerCase().split(','), name)
  const [, version, salt, hash] = names.split('|')
  if (version !== '1' || salt === undefined || hash === undefined) return false
  const [wanted, found] = [Buffer.from(hash, 'base64'), hmac(name, Buffer.from(salt, 'base64'))]
  return wanted.length === found.length && timingSafeEqual(wanted, found)
}

function hashedName(name: string, salt: Buffer): string {
  return `|1|${salt.toString('base64')}|${hmac(name, salt).toString('base64')}`
}

function hmac(name: string, salt: Buffer): Buffer {
  return createHmac('sha1', salt).update(name).digest()
}
