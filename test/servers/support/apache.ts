import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Certificate } from './certificates.js'
import { startWebServer, type WebServer } from './web-server.js'

export interface ApacheOptions {
  /** Who may log in, and how; anybody without. */
  readonly login?: { readonly scheme: 'basic' | 'digest'; readonly username: string; readonly password: string }
  /** Served by TLS. */
  readonly certificate?: Certificate
  /** More lines for the folder that is served. */
  readonly directives?: string
  /** What a request must be, beside logged in; lines of `Require`. */
  readonly requirements?: string
  readonly documents?: string
}

const modules = '/usr/lib/apache2/modules'
const needed = [
  'mpm_event',
  'authz_core',
  'authz_user',
  'authn_core',
  'authn_file',
  'auth_basic',
  'auth_digest',
  'dav',
  'dav_fs',
  'dav_lock',
]
const realm = 'bkp'

/** Starts Apache 2.4 with mod_dav. */
export function startApache(options: ApacheOptions = {}): Promise<WebServer> {
  return startWebServer({
    program: '/usr/sbin/apache2',
    argumentsFor: (configuration) => ['-f', configuration, '-D', 'FOREGROUND'],
    documents: options.documents,
    configurationFor: ({ home, port, documents }) =>
      [
        ...[...needed, ...(options.certificate === undefined ? [] : ['ssl'])].map(
          (name) => `LoadModule ${name}_module ${modules}/mod_${name}.so`,
        ),
        ...(process.getuid?.() === 0 ? ['User www-data', 'Group www-data'] : []),
        `ServerRoot ${home}`,
        `DefaultRuntimeDir ${home}/state`,
        `PidFile ${home}/state/pid`,
        `DavLockDB ${home}/state/locks`,
        `ErrorLog ${home}/state/errors`,
        'ServerName localhost',
        `Listen 127.0.0.1:${port}`,
        // Enough processes and threads for real races.
        'ServerLimit 2',
        'StartServers 2',
        'ThreadsPerChild 32',
        'MaxRequestWorkers 64',
        ...(options.certificate === undefined
          ? []
          : [
              'SSLEngine on',
              `SSLCertificateFile ${options.certificate.certificate}`,
              `SSLCertificateKeyFile ${options.certificate.key}`,
            ]),
        `DocumentRoot ${documents}`,
        `<Directory ${documents}>`,
        'Dav On',
        ...loginLines(home, options.login),
        '<RequireAll>',
        options.login === undefined ? 'Require all granted' : 'Require valid-user',
        options.requirements ?? '',
        '</RequireAll>',
        options.directives ?? '',
        '</Directory>',
        '',
      ].join('\n'),
  })
}

function loginLines(home: string, login: ApacheOptions['login']): readonly string[] {
  if (login === undefined) return []
  const { scheme, username, password } = login
  const file = join(home, 'users')
  const hash = (algorithm: string, text: string, encoding: 'base64' | 'hex') =>
    createHash(algorithm).update(text).digest(encoding)
  writeFileSync(
    file,
    scheme === 'basic'
      ? `${username}:{SHA}${hash('sha1', password, 'base64')}\n`
      : `${username}:${realm}:${hash('md5', `${username}:${realm}:${password}`, 'hex')}\n`,
  )
  return [
    `AuthType ${scheme === 'basic' ? 'Basic' : 'Digest'}`,
    `AuthName ${realm}`,
    ...(scheme === 'basic' ? ['AuthBasicProvider file'] : ['AuthDigestProvider file']),
    `AuthUserFile ${file}`,
  ]
}
