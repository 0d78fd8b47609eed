import { execFileSync } from 'node:child_process'
import { PortError } from '@bkp/plugin-api'

/** Everything that a storage or a notifier can do wrong and still be contained. */
export async function misbehave(way, token, log) {
  switch (way) {
    case 'logs-its-secret':
      log.debug('telling', { authorization: `Bearer ${token.reveal()}` })
      log.info(`told with ${token.reveal()}`)
      return undefined
    case 'throws':
      throw new TypeError('a fault inside of the plugin')
    case 'tells-its-secret':
      throw new Error(`401 for the token ${token.reveal()}`)
    case 'tells-its-secret-by-code':
      throw new PortError('auth', `401 for the token ${token.reveal()}`)
    case 'hangs':
      return new Promise(() => undefined)
    case 'loops':
      for (;;);
    case 'loops-later':
      setTimeout(() => {
        for (;;) new Array(1000).fill(1)
      }, 1)
      return new Promise(() => undefined)
    case 'floods':
      for (const held = []; ; ) held.push(new Array(1000).fill(held.length))
    case 'blocks':
      // Native code, which nothing can interrupt.
      return execFileSync('sleep', ['30'])
    case 'exits':
      return process.exit(0)
    case 'exits-and-catches':
      try {
        process.exit(0)
      } catch {
        return undefined
      }
      return undefined
    case 'aborts':
      return process.abort()
    case 'prints':
      console.log('hello from the plugin')
      process.stdout.write('and once more\n')
      return undefined
    case 'throws-later':
      setTimeout(() => {
        throw new Error('a fault in a timer')
      }, 1)
      return new Promise(() => undefined)
    case 'rejects-later':
      setTimeout(() => Promise.reject(new Error('a promise that nobody holds')), 1)
      return new Promise(() => undefined)
    case 'leaks':
      setInterval(() => undefined, 1000)
      return undefined
    default:
      return undefined
  }
}
