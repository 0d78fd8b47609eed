import type { ForeignPlugin } from './codecs.js'

/** What can be called of codecs, ciphers and sources. */
export const callNames = [
  'load',
  'compress',
  'decompress',
  'seal',
  'open',
  'openSource',
  'inspect',
  'describe',
  'openDirectory',
  'list',
  'openFile',
  'read',
  'close',
] as const

export type CallName = (typeof callNames)[number]

/** Runs a call of a plugin that did not come with bkp. */
export type During = <T>(plugin: ForeignPlugin, call: CallName, action: () => T) => T

export const unwatched: During = (_plugin, _call, action) => action()
