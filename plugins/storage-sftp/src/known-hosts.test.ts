import { describe, expect, it } from 'vitest'
import {
  fingerprintOf,
  judgeHostKey,
  keyTypeOf,
  knownHostLine,
  parseKnownHosts,
  preferredHostKeyAlgorithms,
} from './known-hosts.js'
import { bytesOf, ed25519Fingerprint, hashed, keys } from './testing/host-keys.js'

function verdict(text: string, host: string, port: number, key: keyof typeof keys): string {
  const found = judgeHostKey(parseKnownHosts(text, 'known_hosts'), host, port, bytesOf(key))
  return 'known' in found ? `${found.kind} line ${found.known.line}` : found.kind
}

describe('known_hosts', () => {
  it('knows a host by its name, in any case of letters, and no other', () => {
    const text = `# comment\n\nnas.example.org,192.168.1.2 ssh-ed25519 ${keys.ed25519} comment of many words\n`
    expect(verdict(text, 'nas.example.org', 22, 'ed25519')).toBe('known')
    expect(verdict(text, 'NAS.Example.ORG', 22, 'ed25519')).toBe('known')
    expect(verdict(text, '192.168.1.2', 22, 'ed25519')).toBe('known')
    expect(verdict(text, 'nas.example.com', 22, 'ed25519')).toBe('unknown')
    expect(verdict(text, 'nasXexample.org', 22, 'ed25519')).toBe('unknown')
    expect(verdict('', 'nas.example.org', 22, 'ed25519')).toBe('unknown')
  })

  it('tells which line holds another key of the host', () => {
    const text = `other.example.org ssh-ed25519 ${keys.other}\nnas ssh-ed25519 ${keys.ed25519}`
    expect(verdict(text, 'nas', 22, 'other')).toBe('changed line 2')
    expect(verdict(text, 'nas', 22, 'ecdsa')).toBe('changed line 2')
  })

  it('knows several keys of one host', () => {
    const text = `nas ssh-ed25519 ${keys.ed25519}\nnas ecdsa-sha2-nistp256 ${keys.ecdsa}\n`
    expect(verdict(text, 'nas', 22, 'ed25519')).toBe('known')
    expect(verdict(text, 'nas', 22, 'ecdsa')).toBe('known')
    expect(verdict(text, 'nas', 22, 'other')).toBe('changed line 1')
  })

  it('takes a port into the name, and falls back to a key of the usual port only when it is the same', () => {
    const text = `[nas]:2222 ssh-ed25519 ${keys.ed25519}\nnas ssh-ed25519 ${keys.other}\n`
    expect(verdict(text, 'nas', 2222, 'ed25519')).toBe('known')
    expect(verdict(text, 'nas', 2222, 'other')).toBe('known')
    expect(verdict(text, 'nas', 2222, 'ecdsa')).toBe('changed line 1')
    expect(verdict(text, 'nas', 2223, 'ecdsa')).toBe('unknown')
    expect(verdict(text, 'nas', 22, 'ed25519')).toBe('changed line 2')
  })

  it('knows hashed names', () => {
    expect(verdict(hashed, 'nas.example.org', 22, 'ed25519')).toBe('known')
    expect(verdict(hashed, 'nas.example.org', 22, 'other')).toBe('changed line 1')
    expect(verdict(hashed, 'nas.example.org', 2222, 'ecdsa')).toBe('known')
    expect(verdict(hashed, 'nas.example.com', 22, 'ed25519')).toBe('unknown')
    expect(verdict(`|2|x|y ssh-ed25519 ${keys.ed25519}`, 'nas.example.org', 22, 'ed25519')).toBe('unknown')
  })

  it('knows wildcards and their exceptions', () => {
    const text = `*.example.org,!bad.example.org ssh-ed25519 ${keys.ed25519}`
    expect(verdict(text, 'nas.example.org', 22, 'ed25519')).toBe('known')
    expect(verdict(text, 'bad.example.org', 22, 'ed25519')).toBe('unknown')
  })

  it('refuses a revoked key, also where it is known as well', () => {
    const text = `nas ssh-ed25519 ${keys.ed25519}\n@revoked * ssh-ed25519 ${keys.ed25519}\n`
    expect(verdict(text, 'nas', 22, 'ed25519')).toBe('revoked line 2')
    expect(verdict(text, 'other', 2222, 'ed25519')).toBe('revoked line 2')
    expect(verdict(text, 'other', 22, 'other')).toBe('unknown')
  })

  it('does not take the key of an authority for the key of a host', () => {
    expect(verdict(`@cert-authority nas ssh-ed25519 ${keys.ed25519}`, 'nas', 22, 'ed25519')).toBe('unknown')
  })

  it('asks first for the kinds of keys that it has', () => {
    const known = parseKnownHosts(`nas ecdsa-sha2-nistp256 ${keys.ecdsa}\nold ssh-rsa AAAA`, 'known_hosts')
    expect(preferredHostKeyAlgorithms(known, 'nas', 22)[0]).toBe('ecdsa-sha2-nistp256')
    expect(preferredHostKeyAlgorithms(known, 'old', 22).slice(0, 2)).toEqual(['rsa-sha2-512', 'rsa-sha2-256'])
    expect(preferredHostKeyAlgorithms(known, 'new', 22)[0]).toBe('ssh-ed25519')
    expect(preferredHostKeyAlgorithms(known, 'nas', 22).sort()).toEqual(preferredHostKeyAlgorithms([], 'x', 22).sort())
  })

  it.each(['plain', 'hashed'] as const)('knows the %s line that it writes', (naming) => {
    for (const port of [22, 2222]) {
      const line = knownHostLine('NAS.example.org', port, bytesOf('ed25519'), naming)
      expect(line.includes('nas.example.org')).toBe(naming === 'plain')
      expect(verdict(line, 'nas.example.org', port, 'ed25519')).toBe('known')
      expect(verdict(line, 'nas.example.org', port + 1, 'other')).toBe('unknown')
    }
  })

  it('shows keys as ssh-keygen does', () => {
    expect(fingerprintOf(bytesOf('ed25519'))).toBe(ed25519Fingerprint)
    expect(keyTypeOf(bytesOf('ecdsa'))).toBe('ecdsa-sha2-nistp256')
    expect(keyTypeOf(Buffer.alloc(2))).toBe('')
  })
})
