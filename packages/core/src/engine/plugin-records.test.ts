import { describe, expect, it } from 'vitest'
import { parseSnapshot, type Snapshot } from '../format/snapshot.js'
import type { SnapshotPlugin } from '../format/snapshot-plugins.js'
import { jsonBytes, vectors } from '../format/testing/vectors.js'
import type { StoredSnapshot } from '../repository/snapshots.js'
import type { PluginAccess, WorkerModule } from './plugin-access.js'
import { recordPlugins } from './plugin-records.js'

const module = (packageName: string, version: string): WorkerModule => ({
  url: 'file:///x/index.js',
  packageName,
  plugin: { packageName, version, folderUrl: 'file:///x/' },
})

/** Plugins of strangers by port and id; everything else came with bkp. */
const access = (foreign: Readonly<Record<string, WorkerModule>>): Pick<PluginAccess, 'workerModule'> => ({
  workerModule: (port, id) =>
    foreign[`${port} ${id}`] ?? {
      url: 'file:///own.js',
      packageName: '@bkp/own',
      plugin: undefined,
    },
})

const brotli: SnapshotPlugin = { port: 'compression', id: 'brotli', package: 'bkp-codec-brotli', version: '1.0.0' }
const git: SnapshotPlugin = { port: 'source', id: 'git', package: 'bkp-source-git', version: '1.0.0' }

const stored = (plugins?: Snapshot['plugins']): StoredSnapshot => ({
  id: 'ab'.repeat(32),
  snapshot: parseSnapshot(jsonBytes({ ...vectors.snapshot, plugins })),
})

const ours = { compression: { id: 'zstd', configuration: {} }, cipher: 'aes-256-gcm', source: 'fs' }
const theirs = { ...ours, compression: { id: 'brotli', configuration: {} }, source: 'git' }
const foreign = access({
  'compression brotli': module('bkp-codec-brotli', '1.1.0'),
  'source git': module('bkp-source-git', '0.3.0'),
}) as PluginAccess

describe('what a snapshot says of plugins', () => {
  it('is nothing where all came with bkp', () => {
    expect(recordPlugins(foreign, ours, [stored(), stored([])])).toEqual({})
  })

  it('names packages and versions of the others', () => {
    expect(recordPlugins(foreign, theirs, [])).toEqual({
      plugins: [
        { ...brotli, version: '1.1.0' },
        { ...git, version: '0.3.0' },
      ],
    })
  })

  it('carries on the codecs of earlier snapshots, since it stands on their blobs, but not their sources', () => {
    expect(recordPlugins(foreign, ours, [stored([brotli, git]), stored()])).toEqual({ plugins: [brotli] })
  })

  it('has the newest of each, and its own before all', () => {
    const newer = { ...brotli, version: '1.0.1' }
    expect(recordPlugins(foreign, ours, [stored([brotli]), stored([newer])])).toEqual({ plugins: [newer] })
    const { plugins } = recordPlugins(foreign, { ...theirs, source: 'fs' }, [stored([brotli])])
    expect(plugins).toEqual([{ ...brotli, version: '1.1.0' }])
  })

  it('leaves out what has no name in a registry', () => {
    const folder = access({ 'compression brotli': module('/home/ann/brotli', '1.0.0') }) as PluginAccess
    expect(recordPlugins(folder, { ...theirs, source: 'fs' }, [])).toEqual({})
  })
})
