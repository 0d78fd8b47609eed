import { readFileSync } from 'node:fs'
import { rootCertificates } from 'node:tls'
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import { PortError } from '@bkp/plugin-api'
import { Connections } from './connections.js'
import { takeSignedHashes } from './payload.js'
import type { Credentials, S3Settings } from './settings.js'

/** How many parts of one large object are on their way at once. */
export const partsAtOnce = 4

/** Its own log prints whole requests. */
const silent = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing }

function nothing(): void {}

/** @throws PortError `config` when the file of an authority cannot be read */
export function makeClient(settings: S3Settings): S3Client {
  const { endpoint, credentials } = settings
  const configuration: S3ClientConfig = {
    requestHandler: new Connections({
      connections: settings.concurrency + partsAtOnce,
      ...authorities(settings.ca),
    }),
    logger: silent,
    // Core repeats what fails.
    maxAttempts: 1,
    forcePathStyle: endpoint.isPathStyle,
    // Checksums are ours: the SDK's own make some servers refuse, and core verifies what it reads.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // With it, the SDK opens a new connection for every object.
    expectContinueHeader: false,
    ...(endpoint.url === undefined ? {} : { endpoint: endpoint.url }),
    ...(endpoint.region === undefined ? {} : { region: endpoint.region }),
    ...credentialsOption(credentials),
  }
  const client = withoutNotice(() => new S3Client(configuration))
  takeSignedHashes(client)
  return client
}

function credentialsOption(credentials: Credentials): Pick<S3ClientConfig, 'credentials' | 'profile'> {
  if (credentials.kind === 'chain') return credentials.profile === undefined ? {} : { profile: credentials.profile }
  const { accessKeyId, secretAccessKey, sessionToken } = credentials
  return {
    credentials: async () => ({
      accessKeyId,
      secretAccessKey: secretAccessKey.reveal(),
      ...(sessionToken === undefined ? {} : { sessionToken: sessionToken.reveal() }),
    }),
  }
}

function authorities(path: string | undefined): { ca?: string[] } {
  if (path === undefined) return {}
  try {
    return { ca: [...rootCertificates, readFileSync(path, 'utf8')] }
  } catch (cause) {
    throw new PortError('config', `Cannot read the certificate ${path}: ${(cause as Error).message}`, { cause })
  }
}

/**
 * The SDK tells every user of Node 20 on the screen that its releases of 2027 need Node 22. It does so once, when the first
 * client is made, unless this variable says no.
 */
function withoutNotice<T>(make: () => T): T {
  const name = 'AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'
  const before = process.env[name]
  process.env[name] = 'true'
  try {
    return make()
  } finally {
    if (before === undefined) delete process.env[name]
    else process.env[name] = before
  }
}
