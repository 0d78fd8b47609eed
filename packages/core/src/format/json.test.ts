import { expect, it } from 'vitest'
import { compareTimestamps, isTimestamp } from './json.js'

it('orders timestamps by when they were, whatever decimals a writer gives', () => {
  const inOrder = [
    '1969-12-31T23:59:59.999999999Z',
    '2026-11-23T18:46:00Z',
    '2026-11-23T18:46:00.000000001Z',
    '2026-11-23T18:46:00.123Z',
    '2026-11-23T18:46:00.123456Z',
    '2026-11-23T18:46:00.5Z',
    '2026-11-23T18:46:01Z',
  ]
  expect(inOrder.filter(isTimestamp)).toEqual(inOrder)
  expect(inOrder.toSorted(compareTimestamps)).toEqual(inOrder)
  expect(inOrder.toReversed().sort(compareTimestamps)).toEqual(inOrder)
  expect(compareTimestamps('2026-11-23T18:46:00Z', '2026-11-23T18:46:00Z')).toBe(0)
})
