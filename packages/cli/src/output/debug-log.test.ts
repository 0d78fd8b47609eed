import { describe, expect, it } from 'vitest'
import { createDebugLog, wantsDebug } from './debug-log.js'

function said(names: string): readonly string[] {
  const lines: string[] = []
  const log = createDebugLog(names, false, (line) => lines.push(line.replace(/^\S+Z /, '')))
  log(undefined, 'debug', 'from core')
  log('bkp-a', 'info', 'from 100%s of a')
  log('@scope/bkp-b', 'warn', 'from b\u001b[2J\nand more')
  return lines
}

describe('what DEBUG shows', () => {
  it('is all of bkp, each line with whose it is and harmless to a terminal', () => {
    expect(said('bkp:*')).toEqual([
      'bkp:core debug: from core',
      'bkp:plugin:bkp-a info: from 100%s of a',
      'bkp:plugin:@scope/bkp-b warn: from b\\x1b[2J\\x0aand more',
    ])
  })

  it.each([
    ['bkp:plugin:bkp-a', ['bkp:plugin:bkp-a info: from 100%s of a']],
    ['bkp:plugin:*,-bkp:plugin:bkp-a', ['bkp:plugin:@scope/bkp-b warn: from b\\x1b[2J\\x0aand more']],
    ['other', []],
  ])('is with %s what it names', (names, lines) => {
    expect(said(names)).toEqual(lines)
  })

  it('includes stack traces once anything of bkp is asked for', () => {
    const asked = ['bkp:*', '*', 'http bkp:core', '', 'http', '-bkp:*'].map((DEBUG) => wantsDebug({ DEBUG }))
    expect(asked).toEqual([true, true, true, false, false, false])
  })
})
