import semver from 'semver'

export const recordedPorts = ['compression', 'encryption', 'source'] as const

/** The package of a contribution that did not come with bkp, as a snapshot names it. */
export interface SnapshotPlugin {
  readonly port: (typeof recordedPorts)[number]
  readonly id: string
  /** Its name in the registry, if it is there. */
  readonly package: string
  /** An exact one. */
  readonly version: string
}

const maxNameLength = 214
const maxVersionLength = 64

/**
 * Those of a snapshot's records that have the right form. All others are passed over: nobody needs them to read the data, and
 * what is left can stand in a command to type, whoever wrote it.
 */
export function soundPlugins(value: unknown): readonly SnapshotPlugin[] {
  return (Array.isArray(value) ? value : []).flatMap((item: unknown) => {
    const record = (item ?? {}) as SnapshotPlugin
    const { port, id, package: name, version } = record
    return isSound(record) ? [{ port, id, package: name, version }] : []
  })
}

/** Whether a record may be written, and shown. */
export function isSound({ port, id, package: name, version }: SnapshotPlugin): boolean {
  return (
    recordedPorts.includes(port) &&
    fits(id, /^[a-z0-9][a-z0-9.-]*$/, 32) &&
    fits(name, /^(@[a-z0-9][a-z0-9._-]*\/)?[a-z0-9][a-z0-9._-]*$/, maxNameLength) &&
    fits(version, /^[0-9][0-9A-Za-z.-]*$/, maxVersionLength) &&
    semver.valid(version) === version
  )
}

function fits(value: unknown, pattern: RegExp, maxLength: number): boolean {
  return typeof value === 'string' && value.length <= maxLength && pattern.test(value)
}
