import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expectPortRejection } from '@bkp/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openRcloneStorage } from './open-storage.js'
import { log, makePlace, type Place } from './testing/place.js'

let place: Place
beforeEach(async () => {
  place = await makePlace()
})
afterEach(() => place.dispose())

const openUrl = (url: string) => openRcloneStorage({ url, configuration: place.configuration, intent: 'open', log })

describe('opening', () => {
  it('needs a place that is there: one that is not mounted must not look empty', () =>
    expectPortRejection('not-found', () => place.open('open')))

  it('names what is wrong with a remote that rclone does not know', async () => {
    const failure = await openUrl('rclone://nowhere/backup').catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'config', message: expect.stringContaining('nowhere:backup') })
  })

  it.each([
    'rclone:',
    'rclone://disk',
    'rclone:disk:path',
    'rclone://:s3,secret_access_key=abc:/bucket',
    'rclone://disk/a[1]',
    'rclone://disk/%',
  ])('refuses %s', (url) => expectPortRejection('config', () => openUrl(url)))
})

describe('temporary files', () => {
  it('of a run that was killed go after a day, are no objects meanwhile, and none stay of a run that ends', async () => {
    const uploads = join(place.root, '~bkp-uploads')
    await mkdir(uploads, { recursive: true })
    for (const name of ['old', 'young']) await writeFile(join(uploads, name), 'half')
    await utimes(join(uploads, 'old'), 1, 1)
    const storage = await place.open('open')
    await storage.put('object', Buffer.from('content'))
    const keys: string[] = []
    for await (const { key } of storage.list('')) keys.push(key)
    await storage.close()
    expect(keys).toEqual(['object'])
    expect(await readdir(uploads)).toEqual(['young'])
  })
})
