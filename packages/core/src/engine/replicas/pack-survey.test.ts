import { PortError, type StoredObject } from '@bkp/plugin-api'
import { InMemoryStorage } from '@bkp/testkit'
import { describe, expect, it } from 'vitest'
import { PackRegistry } from '../../repository/pack-registry.js'
import { PackSurvey } from './pack-survey.js'
import { objectOf, replicaOf } from './testing/replicas.js'

const { signal } = new AbortController()
const [first, second] = [objectOf('packs', 'a pack'), objectOf('packs', 'another')]
const nameOf = ({ key }: { readonly key: string }) => key.slice('packs/aa/'.length)

async function placeWith(
  isLocal: boolean,
  ...objects: readonly { readonly key: string; readonly bytes: Uint8Array }[]
) {
  const storage = new InMemoryStorage({ capabilities: { isLocal } })
  for (const { key, bytes } of objects) await storage.put(key, bytes)
  return replicaOf('place', storage)
}

const packs = new PackRegistry()
for (const pack of [first, second]) packs.add(nameOf(pack), pack.bytes.length, 'data')

describe('a survey of packs', () => {
  it('tells what is there in its size, and who lacks it', async () => {
    const [one, two] = [await placeWith(true, first), await placeWith(true, first, second)]
    const survey = await PackSurvey.of([one, two], false, signal)
    expect(survey.mayBeThere(nameOf(second), second.bytes.length)).toBe(true)
    expect(survey.mayBeThere(nameOf(second), second.bytes.length + 1)).toBe(false)
    expect(survey.mayBeThere('00'.repeat(32), 1)).toBe(false)
    expect(survey.isLacking(one, packs)).toBe(true)
    expect(survey.isLacking(two, packs)).toBe(false)
  })

  it('asks those on a network only when it is told to, and takes nothing for lost that they may have', async () => {
    const [near, far] = [await placeWith(true, first), await placeWith(false, first)]
    const usual = await PackSurvey.of([near, far], false, signal)
    expect(usual.mayBeThere(nameOf(second), second.bytes.length)).toBe(true)
    expect(usual.isLacking(far, packs)).toBe(false)
    const everywhere = await PackSurvey.of([near, far], true, signal)
    expect(everywhere.mayBeThere(nameOf(second), second.bytes.length)).toBe(false)
    expect(everywhere.isLacking(far, packs)).toBe(true)
  })

  it('takes nothing for lost that one has that cannot be listed', async () => {
    const silent = await placeWith(true)
    // biome-ignore lint/correctness/useYield: it fails before its first object
    silent.storage.list = async function* (): AsyncGenerator<StoredObject> {
      throw new PortError('forbidden', 'no lists')
    }
    const survey = await PackSurvey.of([await placeWith(true, first), silent], false, signal)
    expect(survey.mayBeThere(nameOf(second), second.bytes.length)).toBe(true)
    expect(survey.isLacking(silent, packs)).toBe(false)
  })
})
