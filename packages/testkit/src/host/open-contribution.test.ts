import { definePlugin } from '@bkp/plugin-api'
import { describe, expect, it } from 'vitest'
import { InMemoryStorage } from '../fakes/in-memory-storage.js'
import { openNotifierOf, openStorageOf } from './open-contribution.js'
import { createPluginContext } from './plugin-context.js'

const notifier = { notify: async () => undefined, close: async () => undefined }
const plugin = definePlugin({
  activate(context) {
    context.registerStorage('one', async (request) => Object.assign(new InMemoryStorage(), { request }))
    context.registerNotifier('bell', () => notifier)
  },
})

describe('opening what a plugin registers', () => {
  it('calls the only storage with the URL and what the simplest case has', async () => {
    expect(await openStorageOf(plugin, { url: 'one://x' })).toMatchObject({
      request: { url: 'one://x', configuration: {}, intent: 'open' },
    })
  })

  it('passes on what is given', async () => {
    const confirm = async () => true
    const given = { configuration: { a: 1 }, intent: 'create', confirm } as const
    expect(await openStorageOf(plugin, { id: 'one', url: 'one://x', ...given })).toMatchObject({ request: given })
  })

  it('makes the only notifier', async () => {
    expect(await openNotifierOf(plugin)).toBe(notifier)
  })

  it('says what there is when there is no such thing', async () => {
    await expect(openStorageOf(plugin, { id: 'two', url: 'two://' })).rejects.toThrow(
      'The plugin has no storage "two": it registers one',
    )
    const empty = definePlugin({ activate: () => undefined })
    await expect(openNotifierOf(empty)).rejects.toThrow('Which notifier? it registers none')
  })

  it('refuses what definePlugin did not make', async () => {
    await expect(openStorageOf({ activate: () => undefined }, { url: 'x://' })).rejects.toThrow('This is no plugin')
  })

  it('refuses an id that is registered twice', () => {
    const context = createPluginContext()
    context.registerNotifier('bell', () => notifier)
    expect(() => context.registerNotifier('bell', () => notifier)).toThrow('The notifier "bell" was registered twice')
  })
})
