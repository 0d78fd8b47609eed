import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { startB2StandIn } from '../../b2-stand-in/index.js'
import { hasServer } from '../support/servers.js'
import { expectRefusal, openB2 } from './open.js'

/** A server with a certificate that nobody has signed but itself, whose sign-in is that of the stand-in. */
async function withTls(action: (realmUrl: string, ca: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bkp-b2-tls-'))
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
  const made = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', cert, ...subject]
  execFileSync('openssl', made, { stdio: 'ignore' })
  const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_request, response) => {
    response.writeHead(401, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ status: 401, code: 'unauthorized', message: 'it is encrypted at least' }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    await action(`https://127.0.0.1:${(server.address() as AddressInfo).port}`, cert)
  } finally {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    rmSync(folder, { recursive: true })
  }
}

describe.runIf(hasServer('openssl'))('a server with a certificate of its own', () => {
  it('is refused, unless its authority is named', async () => {
    const standIn = await startB2StandIn()
    try {
      await withTls(async (realmUrl, ca) => {
        await expectRefusal('config', /certificate.*ca=/s, () => openB2(standIn, { configuration: { realmUrl } }))
        const trusted = { realmUrl, ca }
        await expectRefusal('auth', /it is encrypted at least/, () => openB2(standIn, { configuration: trusted }))
      })
      expect(standIn.callsOf('b2_authorize_account')).toBe(0)
    } finally {
      await standIn.close()
    }
  })
})
