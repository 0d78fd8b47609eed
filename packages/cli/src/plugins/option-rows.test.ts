import { expect, it } from 'vitest'
import { optionRows } from './option-rows.js'

it('tells the options of every contribution, and nothing of those without', () => {
  const properties = {
    user: { type: 'string', description: 'whose account' },
    token: { type: 'string', 'x-bkp-secret': true, 'x-bkp-env': 'NAS_TOKEN', description: 'made on the NAS' },
    mode: { type: 'string', default: '600' },
    plain: { type: 'boolean' },
  }
  const configuration = { type: 'object', properties, required: ['user'] }
  const storage = [{ id: 'nas', schemes: ['nas'], configuration }]
  const notifier = [{ id: 'chime' }, { id: 'bell', configuration: { properties: { tone: { default: 440 } } } }]
  expect(optionRows({ api: '^1.1.0', displayName: 'NAS', contributes: { storage, notifier } })).toEqual([
    ['storage nas', 'user', 'whose account (needed)'],
    ['storage nas', 'token', 'made on the NAS (secret, else from NAS_TOKEN)'],
    ['storage nas', 'mode', '(default "600")'],
    ['storage nas', 'plain', ''],
    ['notifier bell', 'tone', '(default 440)'],
  ])
})
