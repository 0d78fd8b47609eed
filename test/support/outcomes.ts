import { expect } from 'vitest'
import type { Ran } from './run-bkp.js'

/** What a failing command may never show: it broke down, instead of saying what it found. */
export function expectNoBreakdown({ code, stdout, stderr }: Ran): void {
  expect(code).not.toBeNull()
  const said = stdout + stderr
  for (const trace of [
    /^\s+at .*:\d+:\d+\)?$/m,
    /"code":"internal"/,
    /fault of bkp/,
    /\b(Type|Range|Reference)Error\b/,
  ]) {
    expect(said).not.toMatch(trace)
  }
}

export interface RestoreReport {
  readonly files: number
  readonly damaged: number
  readonly issues: readonly { readonly kind: string; readonly path: string; readonly message: string }[]
}

export interface CheckReport {
  readonly damages: readonly {
    readonly key: string
    readonly message: string
    readonly affects: readonly { readonly path: string }[]
  }[]
}

/** The JSON document of a command that ended as it should. */
export function reportOf<T>(ran: Ran, code: number): T {
  expectNoBreakdown(ran)
  expect(ran.stdout + ran.stderr).not.toBe('')
  expect(ran.code, ran.stdout.slice(0, 4000) + ran.stderr.slice(0, 4000)).toBe(code)
  return JSON.parse(ran.stdout) as T
}
