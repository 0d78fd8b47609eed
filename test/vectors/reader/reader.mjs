#!/usr/bin/env node
import { listing } from './listing.mjs'
import { Repository } from './repository.mjs'
import { restore } from './restore.mjs'

const USAGE = `usage: node reader.mjs REPOSITORY SECRET [snapshots]
       node reader.mjs REPOSITORY SECRET list [SNAPSHOT]
       node reader.mjs REPOSITORY SECRET restore OUT [SNAPSHOT]
       node reader.mjs REPOSITORY SECRET check

SECRET is the passphrase or the recovery code. SNAPSHOT is the beginning of an id; without it, the newest is taken.`

const print = (value) => process.stdout.write(`${JSON.stringify(value, null, 2)}\n`)

function chosen(repository, start = '') {
  const found = repository.snapshots().filter(({ id }) => id.startsWith(start))
  if (found.length === 0) throw new Error(`No snapshot begins with ${JSON.stringify(start)}`)
  return found.at(-1)
}

const COMMANDS = {
  snapshots: async (repository) => print(repository.snapshots()),
  list: async (repository, start) => print(await listing(repository, chosen(repository, start))),
  restore: async (repository, out, start) => {
    if (out === undefined) throw new Error(USAGE)
    const snapshot = chosen(repository, start)
    await restore(repository, snapshot, out)
    print(await listing(repository, snapshot))
  },
  check: async (repository) => {
    const blobs = await repository.check()
    const snapshots = repository.snapshots()
    for (const snapshot of snapshots) await listing(repository, snapshot)
    print({ snapshots: snapshots.length, blobs })
  },
}

const [folder, secret, command = 'snapshots', ...rest] = process.argv.slice(2)
try {
  if (secret === undefined || !Object.hasOwn(COMMANDS, command)) throw new Error(USAGE)
  await COMMANDS[command](await Repository.open(folder, secret), ...rest)
} catch (error) {
  process.stderr.write(`${error.name}: ${error.message}\n`)
  process.exitCode = 1
}
