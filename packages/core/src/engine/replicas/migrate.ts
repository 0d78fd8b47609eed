import type { Storage } from '@bkp/plugin-api'
import { BkpError, isBkpError } from '../../errors/index.js'
import { readDescriptor } from '../../repository/opened-repository.js'
import { abortError } from '../abort.js'
import type { MigrateOptions, MigrationPlan, MigrationResult } from '../api.js'
import type { PluginAccess } from '../plugin-access.js'
import { besides, copyObjects, findMissing, type MissingObjects } from './copy-missing.js'
import { planMigration } from './migration-plan.js'
import { prove } from './migration-proof.js'
import { openStorageAt } from './open-replicas.js'

/** How often it is looked again for what backups have brought meanwhile. */
const mostRounds = 5

/** Moves a repository from one provider to another: plans, copies, proves. */
export async function migrate(
  options: MigrateOptions,
  plugins: PluginAccess,
  now: () => number,
): Promise<MigrationResult> {
  const { from, to, signal, onEvent } = options
  const started = now()
  onEvent?.({ kind: 'started', operation: 'migrate' })
  if (from.url === to.url) {
    const hint = 'Has it moved already? See what the configuration says: bkp destinations list'
    throw new BkpError('usage', `${from.name} and ${to.name} are the same place`, { hint })
  }
  const source = await openStorageAt(plugins, from)
  let target: Storage | undefined
  try {
    const { repository } = await readDescriptor(from.url, source)
    target = await openTarget(options, plugins, repository)
    const missing = await findMissing(source, target, signal)
    const plan = await planMigration(missing, source, options, now)
    const nothing = {
      copiedObjects: 0,
      copiedBytes: 0,
      replacedObjects: 0,
      verifiedObjects: 0,
      verifiedBytes: 0,
      faults: [],
    }
    const finish = (rest: Omit<MigrationResult, 'plan' | 'elapsedMs'>) => ({
      plan,
      ...rest,
      elapsedMs: now() - started,
    })
    if (options.dryRun) return finish({ state: 'planned', ...nothing })
    if (!(await options.confirm(plan))) return finish({ state: 'refused', ...nothing })
    target ??= await plugins.openStorage(to, 'create')
    const steps = new Steps(plan, options)
    const copied = await copyAll(missing, source, target, steps, options)
    const proof = await prove(source, target, copied.found, options, (key, sizeBytes) => steps.read(key, sizeBytes))
    const proven = new Set(proof.faults.map(({ key }) => key))
    // What the source has no more, e.g. after prune, is no fault.
    const lost = copied.damaged.filter(({ key }) => proof.wanted.has(key) && !proven.has(key))
    const faults = [...lost, ...proof.faults]
    return finish({
      state: faults.length === 0 ? 'complete' : 'incomplete',
      copiedObjects: steps.copiedObjects,
      copiedBytes: steps.copiedBytes,
      replacedObjects: proof.replaced,
      verifiedObjects: proof.objects,
      verifiedBytes: proof.bytes,
      faults,
    })
  } catch (error) {
    if (signal?.aborted) throw abortError(signal)
    throw error
  } finally {
    await Promise.all([source.close(), target?.close()])
  }
}

/** @returns undefined when there is nothing yet, which is made only when the plan is agreed to */
async function openTarget(
  { to }: MigrateOptions,
  plugins: PluginAccess,
  repository: string,
): Promise<Storage | undefined> {
  let storage: Storage
  try {
    storage = await openStorageAt(plugins, to)
  } catch (error) {
    if (isBkpError(error, 'no-repository')) return undefined
    throw error
  }
  try {
    const there = (await readDescriptor(to.url, storage)).repository
    if (there === repository) return storage
    throw new BkpError('usage', `${to.name} holds another repository, ${there.slice(0, 8)}`, {
      hint: 'Choose an empty place, or move snapshots between repositories by: bkp copy',
    })
  } catch (error) {
    if (isBkpError(error, 'no-repository')) return storage
    await storage.close()
    throw error
  }
}

/** Copies, and looks again: backups may go on meanwhile. */
async function copyAll(
  first: MissingObjects,
  source: Storage,
  target: Storage,
  steps: Steps,
  { signal }: MigrateOptions,
): Promise<{ readonly damaged: MigrationResult['faults']; readonly found: ReadonlyMap<string, number> }> {
  const tried = new Set<string>()
  const damaged: MigrationResult['faults'][number][] = []
  let missing = first
  for (let round = 1; missing.objects > 0 && round <= mostRounds; round++) {
    for (const { key } of missing.steps.flat()) tried.add(key)
    if (round > 1) steps.add(missing)
    const copied = await copyObjects(missing, source, target, {
      signal,
      onCopied: ({ key, sizeBytes }) => steps.copied(key, sizeBytes),
    })
    damaged.push(...copied.damaged)
    missing = besides(await findMissing(source, target, signal), tried)
  }
  return { damaged, found: missing.found }
}

/** Tells how far it is; what is read back is work as what is copied is. */
class Steps {
  copiedObjects = 0
  copiedBytes = 0
  #filesDone = 0
  #bytesDone = 0
  #totalFiles: number
  #totalBytes: number
  readonly #options: MigrateOptions

  constructor(plan: MigrationPlan, options: MigrateOptions) {
    this.#options = options
    this.#totalFiles = plan.objectsToCopy + (options.readBack ? plan.objects : 0)
    this.#totalBytes = plan.bytesToCopy + (options.readBack ? plan.bytes : 0)
    options.onEvent?.({ kind: 'planned', ...this.#totals })
  }

  add({ objects, bytes }: MissingObjects): void {
    const times = this.#options.readBack ? 2 : 1
    this.#totalFiles += objects * times
    this.#totalBytes += bytes * times
    this.#options.onEvent?.({ kind: 'planned', ...this.#totals })
  }

  copied(key: string, sizeBytes: number): void {
    this.copiedObjects++
    this.copiedBytes += sizeBytes
    this.read(key, sizeBytes)
  }

  read(key: string, sizeBytes: number): void {
    this.#filesDone++
    this.#bytesDone += sizeBytes
    this.#options.onEvent?.({
      kind: 'progress',
      filesDone: this.#filesDone,
      bytesDone: this.#bytesDone,
      storedBytes: this.copiedBytes,
      errors: 0,
      current: key,
      ...this.#totals,
    })
  }

  get #totals(): { readonly totalFiles: number; readonly totalBytes: number } {
    return { totalFiles: this.#totalFiles, totalBytes: this.#totalBytes }
  }
}
