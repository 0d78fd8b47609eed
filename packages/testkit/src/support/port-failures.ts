import { isPortError, type PortErrorCode } from '@bkp/plugin-api'
import { expect } from 'vitest'

/** Expects that `action` throws a `PortError` with this code and a message, and nothing else. */
export function expectPortError(code: PortErrorCode, action: () => unknown): void {
  expect(failureOf(action)).toBe(code)
}

/** As {@link expectPortError}, also for promises. */
export async function expectPortRejection(code: PortErrorCode, action: () => unknown): Promise<void> {
  let outcome = 'nothing was thrown'
  try {
    await action()
  } catch (error) {
    outcome = describe(error)
  }
  expect(outcome).toBe(code)
}

/** The code of the `PortError` that `action` throws; otherwise what it threw instead, or undefined for nothing. */
export function failureOf(action: () => unknown): string | undefined {
  try {
    action()
    return undefined
  } catch (error) {
    return describe(error)
  }
}

function describe(error: unknown): string {
  return isPortError(error) && error.message !== '' ? error.code : `not a PortError: ${String(error)}`
}
