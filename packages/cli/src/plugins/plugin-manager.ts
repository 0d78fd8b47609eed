import { createHash } from 'node:crypto'
import { lstat, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Approval,
  fileListPathOf,
  homeOf,
  type InstalledPlugin,
  integrityOf,
  listFiles,
  loadApprovedPlugins,
  packageFolderOf,
  putApproval,
  type ReadManifests,
  readApprovals,
  readManifest,
  removeApproval,
  settleConflicts,
} from '@bkp/core/plugins'
import { apiVersion } from '@bkp/plugin-api'
import { factsOfDependencies, nativeFilesBelow } from './dependency-facts.js'
import { examine } from './examine.js'
import { fetchPackage, registryFacts } from './fetch-package.js'
import { Npm } from './npm.js'
import { factsOfPackage, type PluginFacts, scriptsOf } from './plugin-facts.js'
import type { PluginSource } from './plugin-source.js'
import { auditByRegistry, type RegistryAnswer } from './registry-audit.js'
import { beginStaging, factsOfFolder, putInPlace, readJson, runScripts, unpack } from './staging.js'

/** What plugins are managed with. */
export interface PluginSurroundings {
  readonly dataDirectory: string
  /** Manifests of the plugins that come with bkp. */
  readonly bundled: () => Promise<readonly InstalledPlugin[]>
  /** Packages that are part of bkp. */
  readonly reserved: readonly string[]
  /** Folder of bkp's plugin-api. */
  readonly pluginApi: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly now: () => number
}

/** A plugin that is not used yet: everything of it can be looked at, and nothing of it has run. */
export interface Candidate {
  readonly facts: PluginFacts
  /** What the user approved before under that name. */
  readonly previous: Approval | undefined
  /** Runs the install scripts, if they are allowed, and makes the plugin one that is used. */
  accept(): Promise<Approval>
  /** Removes it; also after `accept`, where it does nothing. */
  discard(): Promise<void>
}

/** What is in place already. */
export interface InstalledCandidate extends Candidate {
  /** Of all its files, as an approval keeps it. */
  readonly integrity: string
  /** The list behind that. */
  readonly files: string
}

/** The plugins that the user installed: puts them in place and keeps what was approved. Asks nobody. */
export class PluginManager {
  readonly #surroundings: PluginSurroundings

  constructor(surroundings: PluginSurroundings) {
    this.#surroundings = surroundings
  }

  get dataDirectory(): string {
    return this.#surroundings.dataDirectory
  }

  /** @throws BkpError `plugin-refused` when the lock file cannot be trusted */
  async approvals(): Promise<readonly Approval[]> {
    return (await readApprovals(this.dataDirectory)) ?? []
  }

  /** What the engine would use, and what it would not, with the reasons. */
  async approved(): Promise<ReadManifests> {
    const { plugins, faulty } = await loadApprovedPlugins(this.dataDirectory, () => undefined)
    const { refused } = settleConflicts([...(await this.#surroundings.bundled()), ...plugins])
    const lost = refused.map(({ plugin: { packageName, manifest }, error }) => ({ packageName, manifest, error }))
    const used = plugins.filter((plugin) => !refused.some((one) => one.plugin === plugin))
    return { plugins: used, faulty: [...faulty, ...lost] }
  }

  /** Fetches and unpacks a plugin beside those that are used. */
  async stage(source: PluginSource, mode: 'without-scripts' | 'with-scripts', signal: AbortSignal): Promise<Candidate> {
    const { dataDirectory, env, pluginApi, now } = this.#surroundings
    const approvals = await this.approvals()
    const download = await mkdtemp(join(tmpdir(), 'bkp-plugin-'))
    const folder = await beginStaging(dataDirectory, now())
    const discard = async () => {
      for (const path of [download, folder]) await rm(path, { recursive: true, force: true })
    }
    try {
      const npm = await Npm.in(folder, env, signal)
      const fetched = await fetchPackage(source, download, npm, { env, signal })
      const name = String(fetched.packageJson.name)
      const manifest = await examine(
        fetched.packageJson,
        fetched.files,
        this.#surroundings.reserved,
        await this.#others(name),
      )
      const registry = await registryFacts(source, fetched, npm)
      await unpack(folder, fetched, pluginApi, npm, source.kind === 'registry')
      const facts: PluginFacts = {
        ...factsOfPackage(fetched.packageJson, manifest),
        source: { kind: source.kind, spec: source.spec },
        tarball: fetched.integrity,
        publisher: registry?.publisher ?? null,
        published: registry?.published ?? null,
        hasAttestation: registry?.hasAttestation ?? false,
        ...(await factsOfFolder(folder, name)),
        scriptsAllowed: mode === 'with-scripts',
      }
      const accept = async () => {
        const builtFiles = facts.scriptsAllowed && facts.scripts.length > 0 ? await runScripts(npm, folder, facts) : []
        // Before it is in place: whoever changes it from now on is found out.
        const list = listFiles(folder)
        const manifestHash = await hashOf(join(folder, 'node_modules', name, 'package.json'))
        const removeOld = await putInPlace(folder, dataDirectory, name)
        const shown = builtFiles.length === 0 ? facts : { ...facts, builtFiles }
        const approval = this.#approvalOf(shown, { integrity: integrityOf(list), manifest: manifestHash })
        await putApproval(dataDirectory, approval, list.text)
        await removeOld()
        return approval
      }
      return { facts, previous: approvals.find((approval) => approval.name === name), accept, discard }
    } catch (error) {
      await discard()
      throw error
    }
  }

  /** A folder of the user's own, used where it is. */
  async stageLink(path: string): Promise<Candidate> {
    const packageJson = await readJson(join(path, 'package.json'))
    const name = String(packageJson.name)
    const files = await filesThatAre(path, packageJson)
    const manifest = await examine(packageJson, files, this.#surroundings.reserved, await this.#others(name))
    const scripts = scriptsOf(packageJson)
    const installed = await factsOfDependencies(path)
    const facts: PluginFacts = {
      ...factsOfPackage(packageJson, manifest),
      source: { kind: 'link', spec: path },
      ...fromNowhere,
      dependencies: Object.keys((packageJson.dependencies ?? {}) as object),
      scripts: [...(scripts.length === 0 ? [] : [{ package: name, scripts }]), ...installed.scripts],
      nativeFiles: [...(await nativeFilesBelow(path)), ...installed.nativeFiles],
      scriptsAllowed: false,
    }
    const previous = (await this.approvals()).find((approval) => approval.name === name)
    const accept = async () => {
      const approval: Approval = { ...this.#approvalOf(facts), kind: 'linked', path }
      await putApproval(this.dataDirectory, approval)
      await rm(homeOf(this.dataDirectory, name), { recursive: true, force: true })
      return approval
    }
    return { facts, previous, accept, discard: async () => undefined }
  }

  /** What is in place under a name, approved or not, to be approved as it is. */
  async stageInstalled(name: string): Promise<InstalledCandidate> {
    const home = homeOf(this.dataDirectory, name)
    const folder = packageFolderOf(this.dataDirectory, name)
    const packageJson = await readJson(join(folder, 'package.json'))
    const list = listFiles(home)
    const prefix = `node_modules/${name}/`
    const files = list.text
      .split('\n')
      .map((line) => line.slice(66))
      .filter((path) => path.startsWith(prefix))
      .map((path) => path.slice(prefix.length))
    const manifest = await examine(packageJson, files, this.#surroundings.reserved, await this.#others(name))
    const previous = (await this.approvals()).find((approval) => approval.name === name)
    const shown = (previous?.shown ?? {}) as Partial<PluginFacts>
    const facts: PluginFacts = {
      ...factsOfPackage(packageJson, manifest),
      // What a registry said of what was there before says nothing of what is there now.
      ...fromNowhere,
      source: shown.source ?? { kind: 'folder', spec: folder },
      ...(await factsOfFolder(home, name)),
      ...(shown.builtFiles === undefined ? {} : { builtFiles: shown.builtFiles }),
      // As it was installed: nothing runs now.
      scriptsAllowed: shown.scriptsAllowed ?? false,
    }
    const integrity = integrityOf(list)
    const accept = async () => {
      const approval = this.#approvalOf(facts, { integrity, manifest: await hashOf(join(folder, 'package.json')) })
      await putApproval(this.dataDirectory, approval, list.text)
      return approval
    }
    return { facts, previous, integrity, files: list.text, accept, discard: async () => undefined }
  }

  /** @param home folder of a plugin with its dependencies */
  async askRegistry(home: string, signal: AbortSignal): Promise<RegistryAnswer> {
    return auditByRegistry(await Npm.in(home, this.#surroundings.env, signal))
  }

  /** @returns whether there was anything */
  async uninstall(name: string): Promise<boolean> {
    const home = homeOf(this.dataDirectory, name)
    const isThere = await lstat(home).then(
      () => true,
      () => false,
    )
    const approvals = await this.approvals()
    const isApproved = approvals.some((approval) => approval.name === name)
    // First the approval: what is only half removed is not used.
    if (isApproved) await removeApproval(this.dataDirectory, name)
    await rm(home, { recursive: true, force: true })
    return isThere || isApproved
  }

  /** The list of files that was approved; undefined when it is lost, or not the one that was approved. */
  async approvedList({ name, integrity }: Approval): Promise<string | undefined> {
    const text = await readFile(fileListPathOf(this.dataDirectory, name), 'utf8').catch(() => undefined)
    return text !== undefined && integrityOf(text) === integrity ? text : undefined
  }

  #approvalOf(facts: PluginFacts, hashes: Pick<Approval, 'integrity' | 'manifest'> = {}): Approval {
    const { name, version, source } = facts
    const approved = new Date(this.#surroundings.now()).toISOString()
    return { name, version, kind: 'installed', source, ...hashes, api: apiVersion, approved, shown: { ...facts } }
  }

  /** Plugins that could claim the same as one of that name; those that are refused too, as they may come back. */
  async #others(name: string): Promise<readonly InstalledPlugin[]> {
    const bundled = await this.#surroundings.bundled()
    const others = (await this.approvals()).filter((approval) => approval.name !== name)
    const read = others.map(({ name: other, path }) =>
      readManifest(path ?? packageFolderOf(this.dataDirectory, other), false, () => undefined).catch(() => undefined),
    )
    return [...bundled, ...(await Promise.all(read)).filter((plugin) => plugin !== undefined)]
  }
}

const fromNowhere = { tarball: null, publisher: null, published: null, hasAttestation: false }

async function hashOf(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex')
}

/** Of the modules that a package.json names, those that are there: a linked folder may be large. */
async function filesThatAre(path: string, packageJson: Readonly<Record<string, unknown>>): Promise<string[]> {
  const named = JSON.stringify(packageJson).match(/"[^"\s]+\.[cm]?js"/g) ?? []
  const found: string[] = []
  for (const text of named) {
    const file = text.slice(1, -1).replace(/^\.\//, '')
    const isThere = await lstat(join(path, file)).then(
      (entry) => entry.isFile(),
      () => false,
    )
    if (isThere) found.push(file)
  }
  return found
}
