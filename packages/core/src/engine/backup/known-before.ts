import type { RepositoryIndex } from '../../repository/repository-index.js'
import type { EngineEvent } from '../api.js'
import type { OperationContext } from '../context.js'
import { findLags, type Lag } from '../replicas/lag.js'
import { PackSurvey } from '../replicas/pack-survey.js'
import type { Replica } from '../replicas/replica.js'

/** How many blobs one run may add: 16 million, some 16 TiB of new data. */
const maxNewBlobs = 16_000_000

export interface KnownBeforeOptions {
  readonly dryRun: boolean
  /** Everything is read again: then everything is looked for, too. */
  readonly force: boolean
  readonly signal: AbortSignal
}

/** What a run that writes builds on. */
export interface KnownBefore {
  /** Without packs that are condemned or lost: what was in them is stored anew. */
  readonly index: RepositoryIndex
  readonly lags: readonly Lag[]
}

export async function loadKnownBefore(context: OperationContext, options: KnownBeforeOptions): Promise<KnownBefore> {
  const { signal } = options
  let survey: PackSurvey | undefined
  const loading = context.loadIndex({
    room: maxNewBlobs,
    condemned: 'absent',
    signal,
    survey: async () => {
      survey = await PackSurvey.of(context.replicas, options.force, signal)
      return survey.mayBeThere
    },
  })
  if (options.dryRun) return { index: await loading, lags: [] }
  const reliedOn = loading.then(({ segments, packs }) => ({
    segments,
    lacksPacks: (replica: Replica) => survey?.isLacking(replica, packs) === true,
  }))
  // Its failure is told by what it waits for.
  reliedOn.catch(() => undefined)
  const [index, lags] = await Promise.all([loading, findLags(context.replicas, reliedOn, signal)])
  return { index, lags }
}

/** Says it when packs are lost. */
export function tellOfLost({ lost }: RepositoryIndex, onEvent: ((event: EngineEvent) => void) | undefined): void {
  if (lost.size === 0) return
  const message = `${lost.size} ${lost.size === 1 ? 'pack is' : 'packs are'} lost or cut short: what is still there of their content is stored again. What earlier snapshots lack is found by bkp check`
  onEvent?.({ kind: 'note', message })
}
