import { Secret } from '@bkp/plugin-api'
import { describeNotifier, expectPortRejection, openNotifierOf, sampleNotification } from '@bkp/testkit'
import { describe, expect, it } from 'vitest'
import plugin from '../src/index.js'
import { startService } from './service.js'

const token = 'tok-en-secret'
const open = (url: string) => openNotifierOf(plugin, { configuration: { url, token: new Secret(token) } })

// What every notifier of bkp has to pass: delivery, refusals, time limits, no secret in an error.
describeNotifier('{{id}}', {
  secrets: [token],
  async open(state) {
    const { url, received, close } = await startService(state)
    return { notifier: await open(url), received: async () => received, dispose: close }
  },
})

describe('a message', () => {
  it('has what happened in its first line', async () => {
    const { url, received, close } = await startService('working')
    const notifier = await open(url)
    await notifier.notify(sampleNotification('failed', 'There is no repository'), { signal: AbortSignal.timeout(5000) })
    await notifier.close()
    await close()
    expect(received.map((body) => JSON.parse(body))).toEqual([
      { text: 'bkp backup documents on nas has failed\nThere is no repository' },
    ])
  })
})

describe('options', () => {
  it.each(['chat.example', 'ftp://chat.example', 'https://ann:password@chat.example'])('refuse the URL %s', (url) =>
    expectPortRejection('config', () => open(url)),
  )

  it('need a token', () =>
    expectPortRejection('config', () => openNotifierOf(plugin, { configuration: { url: 'https://chat.example' } })))
})
