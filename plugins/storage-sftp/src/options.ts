import { isSecret, type Secret } from '@bkp/plugin-api'

/** What the user may set; the manifest says what each means. Core has checked types and ranges. */
export interface SftpOptions {
  readonly privateKey?: string
  readonly keyPassphrase?: Secret
  readonly password?: Secret
  readonly agent?: string
  readonly sshConfig?: string
  /** Hosts separated by commas, or `none`; wins over the ssh configuration. */
  readonly proxyJump?: string
  readonly knownHosts?: string
  readonly hostKey?: string
  readonly acceptNewHostKey: boolean
  readonly channels: number
  readonly connectTimeoutMs: number
  /** A connection that shows no sign of life for so long is lost. */
  readonly deadAfterMs: number
  /** Whether objects are made durable before a put resolves, where the server can. */
  readonly isDurable: boolean
}

export function toSftpOptions(configuration: Readonly<Record<string, unknown>>): SftpOptions {
  const text = (name: string) => {
    const value = configuration[name]
    return typeof value === 'string' && value !== '' ? { [name]: value } : {}
  }
  const secret = (name: string) => {
    const value = configuration[name]
    return isSecret(value) ? { [name]: value } : {}
  }
  const number = (name: string, otherwise: number) => {
    const value = configuration[name]
    return typeof value === 'number' ? value : otherwise
  }
  return {
    ...text('privateKey'),
    ...secret('keyPassphrase'),
    ...secret('password'),
    ...text('agent'),
    ...text('sshConfig'),
    ...text('proxyJump'),
    ...text('knownHosts'),
    ...text('hostKey'),
    acceptNewHostKey: configuration.acceptNewHostKey === true,
    channels: number('channels', 4),
    connectTimeoutMs: number('connectTimeoutSeconds', 20) * 1000,
    deadAfterMs: number('deadAfterSeconds', 60) * 1000,
    isDurable: configuration.durable !== false,
  }
}
