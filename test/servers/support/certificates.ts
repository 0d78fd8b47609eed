import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Paths of PEM files. */
export interface Certificate {
  readonly key: string
  readonly certificate: string
}

export interface Authority {
  /** Path of the PEM file to trust. */
  readonly ca: string
  /** For 127.0.0.1 and localhost. */
  readonly server: Certificate
  remove(): void
}

/** Makes an authority of its own and a certificate by it, with openssl. */
export function makeAuthority(): Authority {
  const folder = mkdtempSync(join(tmpdir(), 'bkp-ca-'))
  const path = (name: string) => join(folder, name)
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] })
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl(
    'req',
    '-x509',
    '-days',
    '2',
    ...newKey,
    '-keyout',
    path('ca.key'),
    '-out',
    path('ca.pem'),
    '-subj',
    '/CN=bkp test authority',
  )
  openssl('req', ...newKey, '-keyout', path('server.key'), '-out', path('server.csr'), '-subj', '/CN=localhost')
  writeFileSync(path('extensions'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n')
  const signing = ['-CA', path('ca.pem'), '-CAkey', path('ca.key'), '-CAcreateserial', '-days', '2']
  openssl(
    'x509',
    '-req',
    '-in',
    path('server.csr'),
    ...signing,
    '-extfile',
    path('extensions'),
    '-out',
    path('server.pem'),
  )
  return {
    ca: path('ca.pem'),
    server: { key: path('server.key'), certificate: path('server.pem') },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
