import { isSecret, Secret } from '@bkp/plugin-api'
import { expect, it } from 'vitest'
import { orderOfText, textOfOrder } from './writer-order.js'

it('takes secrets of the configuration to the other process as secrets', () => {
  const order = {
    entry: 'file:///plugin/dist/index.js',
    id: 'mine',
    url: 'mine://host/place',
    configuration: { user: 'ann', password: new Secret('s3cret'), more: { tokens: [new Secret('one')] }, port: 21 },
    objects: [{ key: 'a', sizeBytes: 3, filledWith: 7 }],
  }
  const taken = orderOfText(textOfOrder(order))
  const { password, more, ...plain } = taken.configuration
  expect({ ...taken, configuration: plain }).toEqual({ ...order, configuration: { user: 'ann', port: 21 } })
  expect(isSecret(password) && password.reveal()).toBe('s3cret')
  const [token] = (more as { tokens: unknown[] }).tokens
  expect(isSecret(token) && token.reveal()).toBe('one')
})
