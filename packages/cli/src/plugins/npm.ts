import { spawn } from 'node:child_process'
import { CliError } from '../errors/cli-error.js'
import { describeNpmFailure } from './npm-failure.js'

/** What of plugin-plugins is used. Its class is not among the exports of the package, hence no types of its own. */
interface OclifPlugins {
  readonly npm: {
    findNpm(): Promise<string>
    exec(args: string[], options: { readonly cwd: string }): Promise<unknown>
    install(args: string[], options: { readonly cwd: string; readonly prod: boolean }): Promise<unknown>
  }
  add(plugin: { readonly name: string; readonly type: 'user'; readonly [key: string]: string }): Promise<void>
}

/**
 * npm, as @oclif/plugin-plugins brings and drives it, for one folder. Only the parts of plugin-plugins that load nothing of a
 * plugin are used: its own `install` and `link` import commands of the plugin while they look at it.
 */
export class Npm {
  readonly #plugins: OclifPlugins
  readonly #folder: string
  readonly #env: Readonly<Record<string, string | undefined>>
  readonly #signal: AbortSignal

  private constructor(
    plugins: OclifPlugins,
    folder: string,
    env: Readonly<Record<string, string | undefined>>,
    signal: AbortSignal,
  ) {
    this.#plugins = plugins
    this.#folder = folder
    this.#env = env
    this.#signal = signal
    // Its own runner forgets what npm said when it fails, and gives it our whole environment.
    plugins.npm.exec = (args) => this.run(args)
  }

  /** @param folder with package.json and node_modules */
  static async in(
    folder: string,
    env: Readonly<Record<string, string | undefined>>,
    signal: AbortSignal,
  ): Promise<Npm> {
    const entry = import.meta.resolve('@oclif/plugin-plugins')
    const { default: Plugins } = (await import(new URL('plugins.js', entry).href)) as {
      readonly default: new (options: object) => OclifPlugins
    }
    const config = { dataDir: folder, name: 'bkp-plugin', pjson: { oclif: {} }, plugins: new Map() }
    return new Npm(new Plugins({ config, logLevel: 'silent' }), folder, env, signal)
  }

  /** Fetches and unpacks; runs no script. */
  async install(spec: string): Promise<void> {
    const noOthers = ['git', 'remote', 'file', 'directory'].map((kind) => `--allow-${kind}=root`)
    await this.#plugins.npm.install([spec, '--save-exact', ...noOthers, ...quiet], { cwd: this.#folder, prod: true })
  }

  /** Enters the plugin into the list that plugin-plugins keeps. */
  async enter(name: string, details: { readonly tag: string } | { readonly url: string }) {
    await this.#plugins.add({ name, type: 'user', ...details })
  }

  /** Runs the install scripts of all that is there. */
  async runScripts(): Promise<void> {
    await this.run(['rebuild', '--ignore-scripts=false', '--foreground-scripts=false'])
  }

  /**
   * What npm prints.
   * @throws CliError saying what went wrong and what to do
   */
  async run(args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.ask(args)
    if (code === 0) return stdout
    throw describeNpmFailure(args, `${stderr}\n${stdout}`)
  }

  /** As `run`, where a failure is an answer too. */
  async ask(args: readonly string[]): Promise<Collected> {
    const npm = await this.#plugins.npm.findNpm()
    const command = npm.endsWith('.js') ? [process.execPath, npm] : [npm]
    const all = [...command.slice(1), ...args, '--no-fund', '--loglevel=error', '--no-update-notifier']
    return collect(command[0] as string, all, {
      cwd: this.#folder,
      env: withoutOurs(this.#env),
      signal: this.#signal,
    })
  }
}

const quiet = ['--ignore-scripts', '--no-audit', '--no-bin-links', '--install-links']

export interface Collected {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program to its end. */
export function collect(
  program: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env: Record<string, string | undefined>; readonly signal: AbortSignal },
): Promise<Collected> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    const texts = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'] as const)
      child[name].setEncoding('utf8').on('data', (text: string) => {
        texts[name] += text
      })
    child.on('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'ENOENT'
          ? new CliError('failure', `${program} is not installed`, `Install ${program}, then try again`)
          : error,
      ),
    )
    child.on('close', (code) => resolve({ code, ...texts }))
  })
}

/** Scripts of packages may run: what is ours alone (passphrases, above all) they are not given. */
export function withoutOurs(env: Readonly<Record<string, string | undefined>>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('BKP_')))
}
