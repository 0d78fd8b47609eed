import { isSecret, Secret } from '@bkp/plugin-api'
import type { StorageProcess } from './describe-storage.js'

/** What a process of the suite is to put, one after the other, until it is killed. */
export interface WriterOrder extends Omit<StorageProcess, 'entry'> {
  readonly entry: string
  readonly objects: readonly { readonly key: string; readonly sizeBytes: number; readonly filledWith: number }[]
}

/** No option of a plugin has a name with a blank. */
const mark = 'bkp secret'

/** The order as text that holds its secrets: for a pipe, never for arguments, which all users of the machine see. */
export function textOfOrder(order: WriterOrder): string {
  return JSON.stringify(order, function (this: Record<string, unknown>, name, value: unknown) {
    // By now `value` is what `toJSON` made of a secret.
    const given = this[name]
    return isSecret(given) ? { [mark]: given.reveal() } : value
  })
}

export function orderOfText(text: string): WriterOrder {
  return JSON.parse(text, (_name, value: unknown) => {
    if (typeof value !== 'object' || value === null || !(mark in value)) return value
    return new Secret(String(value[mark]))
  }) as WriterOrder
}
