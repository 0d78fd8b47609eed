// A program that uses the engine with a plugin that misbehaves: makes a repository, backs up into it, and prints what became
// of it as one JSON document. How it ends is a part of the test.
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createEngine, isBkpError } from '@bkp/core'
import { Secret } from '@bkp/plugin-api'

const {
  work,
  places,
  compression = 'none',
  cipher = 'aes-256-gcm',
  source = 'fs',
  sourceOptions = {},
  notifiers = [],
  abortAfterMs,
  pluginCallMs,
  isReading = false,
  isChecking = true,
} = JSON.parse(process.argv[2])
const plugins = fileURLToPath(new URL('../../../../plugins', import.meta.url))
const log = (level) => (message) => process.stderr.write(`${level}: ${message}\n`)
const engine = await createEngine(
  {
    bundledPluginDirectories: readdirSync(plugins).map((name) => join(plugins, name)),
    pluginDirectories: [dirname(fileURLToPath(import.meta.url))],
    workers: 1,
    ...(pluginCallMs === undefined ? {} : { pluginCallMs }),
  },
  { debug: log('debug'), info: log('info'), warn: log('warn') },
)
const unlock = { kind: 'passphrase', passphrase: new Secret('a passphrase') }
const outcome = {}
const destinations = places.map(({ token, ...place }) => ({
  ...place,
  ...(token === undefined ? {} : { options: { token: new Secret(token) } }),
}))
try {
  if (!isReading) await engine.createRepository(destinations, unlock.passphrase)
  const repository = await engine.openRepository(destinations, unlock, { startThreads: true, useCache: false })
  try {
    outcome.found = (await repository.snapshots()).length
    if (isChecking)
      outcome.damages = (await repository.check({ readDataShare: 1 })).flatMap(({ damages }) => damages).length
    const result = await repository.backup({
      paths: [Buffer.from(join(work, 'source'))],
      hostname: 'test',
      username: 'test',
      program: 'test',
      tags: [],
      excludes: [],
      excludeCaches: false,
      oneFileSystem: false,
      force: false,
      dryRun: false,
      compression: { id: compression, configuration: {} },
      cipher,
      source: { id: source, configuration: sourceOptions },
      onEvent: (event) => event.kind === 'note' && log('note')(event.message),
      ...(abortAfterMs === undefined ? {} : { signal: AbortSignal.timeout(abortAfterMs) }),
    })
    outcome.snapshot = result.snapshotId
    outcome.destinations = result.destinations.map(({ name, state, message }) => ({ name, state, message }))
    outcome.snapshots = (await repository.snapshots()).length
  } finally {
    await repository.close()
  }
} catch (error) {
  outcome.error = { code: isBkpError(error) ? error.code : error.name, message: error.message }
}
const group = engine.notifiers(
  notifiers.map(({ token, ...target }) => ({
    ...target,
    options: { ...target.options, ...(token === undefined ? {} : { token: new Secret(token) }) },
  })),
)
const now = new Date().toISOString()
outcome.told = await group.tell({ kind: 'failed', command: 'backup', host: 'test', startedAt: now, summary: 'x' })
await group.close()
await engine.close()
outcome.foreign = engine.foreignPlugins()
process.stdout.write(`${JSON.stringify(outcome)}\n`)
