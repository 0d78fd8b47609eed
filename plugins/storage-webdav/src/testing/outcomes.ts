import { isPortError, type PortError, type Storage } from '@bkp/plugin-api'

/** The `PortError` that `action` rejects with. It has to. */
export async function failureOf(action: () => Promise<unknown>): Promise<PortError> {
  try {
    await action()
  } catch (error) {
    if (isPortError(error)) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

/** The keys of a list, sorted. */
export async function listed(storage: Storage, prefix = ''): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of storage.list(prefix)) keys.push(key)
  return keys.sort()
}
