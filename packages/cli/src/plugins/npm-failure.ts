import { CliError } from '../errors/cli-error.js'

const offline = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'ETIMEDOUT',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'ERR_SOCKET_TIMEOUT',
  'ENOTCACHED',
])

const offlineHint =
  'Without a network, install from a tarball that has its dependencies inside (bundleDependencies): bkp plugins:install ./x.tgz'

/** An error of npm in our words. */
export function describeNpmFailure(args: readonly string[], output: string): CliError {
  const code = /^npm (?:error|ERR!) code (\S+)/m.exec(output)?.[1] ?? /"code": "(\w+)"/.exec(output)?.[1] ?? ''
  const lines = output
    .split('\n')
    .filter((line) => /^npm (error|ERR!)/.test(line))
    .map((line) => line.replace(/^npm (error|ERR!) ?/, ''))
    .filter((line) => line !== '' && !/^code |^A complete log|_logs\//.test(line))
  const detail = lines.slice(0, 3).join(' ')
  const missing = /'([^']+)' is not in this registry|404 .*?- GET \S+\/(\S+)/.exec(detail)
  if (code === 'E404') {
    const what = missing?.[1] ?? missing?.[2]
    const named = what === undefined ? 'A package' : decodeURIComponent(what)
    const hint = 'Check the name, and the registry that npm is told to use: npm config get registry'
    return new CliError('failure', `${named} is not in the registry`, hint)
  }
  if (code === 'ETARGET') return new CliError('failure', detail, 'See which versions there are: npm view NAME versions')
  if (offline.has(code))
    return new CliError('failure', `The registry cannot be reached: ${detail || code}`, offlineHint)
  if (code === 'EINTEGRITY')
    return new CliError('failure', `What was downloaded is not what the registry announced: ${detail}`, 'Do not use it')
  if (/^EALLOW/.test(code))
    return new CliError(
      'failure',
      `A dependency comes from elsewhere than the registry: ${detail}`,
      'bkp installs dependencies from the registry alone; ask the author to publish them there',
    )
  return new CliError(
    'failure',
    `npm ${args[0] ?? ''} failed: ${detail || output.trim().slice(0, 300) || 'without a word'}`,
  )
}
