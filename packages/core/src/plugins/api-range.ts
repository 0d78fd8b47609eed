import { apiVersion } from '@bkp/plugin-api'
import semver from 'semver'
import { fitsApi } from './manifest.js'

/** Why a range of plugin-api is wrong for a plugin that is to live for years. */
export type RangeFault = 'invalid' | 'excludes-present' | 'too-narrow' | 'too-wide'

/**
 * What is wrong with a range of plugin-api: it is none, it does not contain the version of this bkp, it ends before the
 * next minor version (which adds and breaks nothing), or it contains the next major one (which breaks).
 */
export function rangeFault(range: unknown): RangeFault | undefined {
  if (typeof range !== 'string' || semver.validRange(range) === null) return 'invalid'
  if (!fitsApi(range)) return 'excludes-present'
  const nextMinor = semver.inc(apiVersion, 'minor')
  const nextMajor = semver.inc(apiVersion, 'major')
  if (nextMinor !== null && !semver.satisfies(nextMinor, range)) return 'too-narrow'
  return nextMajor !== null && semver.satisfies(nextMajor, range) ? 'too-wide' : undefined
}
