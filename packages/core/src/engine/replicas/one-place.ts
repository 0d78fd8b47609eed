import { randomBytes } from 'node:crypto'
import { isPortError, type Storage } from '@bkp/plugin-api'
import { BkpError } from '../../errors/index.js'
import { sessionKey } from '../../format/session.js'
import { exists } from '../../repository/opened-repository.js'
import { closeSession } from '../../repository/session.js'

/** What is said where two destinations of a run turn out to be one place under two names. */
export function onePlace(one: string, other: string): BkpError {
  return new BkpError('usage', `${one} and ${other} are the same place: what is stored there would count twice`, {
    hint: 'Name it once. Another copy is one that lies somewhere else',
  })
}

interface Place {
  readonly name: string
  readonly storage: Storage
}

/**
 * Puts a mark at each place and looks for it at the others. A mark is a session without a writer, and is closed like one. A
 * place that fails is left to whoever works with it next.
 * @param readOnly are looked at, and may be the same among themselves
 * @throws BkpError `usage` when two are one
 */
export async function refuseOnePlace(places: readonly Place[], readOnly: readonly Place[] = []): Promise<void> {
  const marked: { readonly place: Place; readonly key: string }[] = []
  const all = [...places, ...readOnly]
  // Nobody looks for a mark of the last.
  const toMark = places.filter((place) => place !== all.at(-1))
  try {
    for (const place of all) {
      try {
        for (const { place: other, key } of marked)
          if (await exists(place.storage, key)) throw onePlace(other.name, place.name)
        if (!toMark.includes(place)) continue
        const key = sessionKey(randomBytes(16).toString('hex'))
        await place.storage.put(key, new Uint8Array(0))
        marked.push({ place, key })
      } catch (error) {
        if (!isPortError(error)) throw error
      }
    }
  } finally {
    await Promise.all(marked.map(({ place, key }) => closeSession(place.storage, key)))
  }
}
