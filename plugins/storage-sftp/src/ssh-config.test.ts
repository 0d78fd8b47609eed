import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readHostSettings, settingsOf } from './ssh-config.js'

describe('the ssh configuration', () => {
  it('gives an alias its host, port, user, keys and files', () => {
    const text = `
      # my NAS
      host nas backup
        hostname nas.example.org
        Port 2222
        USER me
        IdentityFile ~/.ssh/id_nas
        IdentityFile "/keys/of %r/%h"
        IdentitiesOnly yes
        UserKnownHostsFile ~/.ssh/a /b
        HostKeyAlias storage
      Host *
        User everybody
        StrictHostKeyChecking accept-new
        HashKnownHosts yes`
    expect(settingsOf(text, 'nas', undefined)).toEqual({
      hostName: 'nas.example.org',
      port: 2222,
      user: 'me',
      identityFiles: [join(homedir(), '.ssh/id_nas'), '/keys/of me/nas.example.org'],
      identitiesOnly: true,
      knownHostsFiles: [join(homedir(), '.ssh/a'), '/b'],
      hostKeyAlias: 'storage',
      acceptsNewHostKey: true,
      hashesKnownHosts: true,
      proxy: { kind: 'none' },
    })
    expect(settingsOf(text, 'other', undefined)).toMatchObject({
      hostName: 'other',
      user: 'everybody',
      identityFiles: [],
    })
    expect(settingsOf(text, 'nas', 'root')).toMatchObject({ user: 'root' })
  })

  it('takes the first value that fits, and wildcards', () => {
    const text = 'Host *.lan !router.lan\n HostName %h.example.org\n Port 23\nHost *\n Port 24\n IdentityAgent none\n'
    expect(settingsOf(text, 'nas.lan', undefined)).toMatchObject({ hostName: 'nas.lan.example.org', port: 23 })
    expect(settingsOf(text, 'router.lan', undefined)).toMatchObject({ hostName: 'router.lan', port: 24 })
  })

  it('runs no command', () => {
    expect(settingsOf('Match exec "true"\n Port 99\n', 'nas', undefined)).not.toHaveProperty('port')
  })

  it.each([
    ['ProxyJump me@bastion:2222,inner', { kind: 'jump', hosts: 'me@bastion:2222,inner' }],
    ['ProxyCommand nc %h %p', { kind: 'command' }],
  ])('tells %s, of which the first that fits counts', (line, proxy) => {
    expect(settingsOf(`Host nas\n ${line}\n`, 'nas', undefined)).toMatchObject({ proxy })
    expect(settingsOf(`Host nas\n ${line}\n`, 'other', undefined)).toMatchObject({ proxy: { kind: 'none' } })
    for (const name of ['ProxyJump', 'ProxyCommand']) {
      const none = `Host nas\n ${name} none\nHost *\n ${line}`
      expect(settingsOf(none, 'nas', undefined)).toMatchObject({ proxy: { kind: 'none' } })
      expect(settingsOf(none, 'other', undefined)).toMatchObject({ proxy })
    }
  })

  it('may be missing, unless it was named', () => {
    expect(() => readHostSettings('nas', undefined, '/nowhere/config')).toThrow(/Cannot read the ssh configuration/)
  })

  it('includes files, by wildcards too, and what follows holds for all hosts', () => {
    const folder = mkdtempSync(join(tmpdir(), 'bkp-ssh-'))
    try {
      mkdirSync(join(folder, 'conf.d'))
      writeFileSync(join(folder, 'conf.d/10-nas'), 'Host nas\n HostName one\n')
      writeFileSync(join(folder, 'conf.d/20-other'), 'Host other\n HostName two\n')
      writeFileSync(join(folder, 'config'), 'Include conf.d/*\nInclude missing/*\nUser me\n')
      const path = join(folder, 'config')
      expect(readHostSettings('nas', undefined, path)).toMatchObject({ hostName: 'one', user: 'me' })
      expect(readHostSettings('other', undefined, path)).toMatchObject({ hostName: 'two', user: 'me' })
      expect(readHostSettings('third', undefined, path)).toMatchObject({ hostName: 'third', user: 'me' })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
