import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { expectNoBreakdown, reportOf } from '../../support/outcomes.js'
import { bkp, passphrase, type Ran } from '../../support/run-bkp.js'
import { noise } from '../../support/torture-tree.js'

const scripts = fileURLToPath(new URL('../../../docs/examples/migrate/', import.meta.url))
const executable = fileURLToPath(new URL('../../../packages/cli/bin/run.js', import.meta.url))

/** Incompressible, so that sizes are known; every backup makes packs of its own. */
const bytesPerBackup = 500_000

export interface ScriptRun extends Promise<Ran> {
  /** Ends the script and whatever it runs at once, as a power cut does. */
  kill(): void
}

/** A machine whose configuration has one destination, with a repository of some snapshots there. */
export class MigratingMachine {
  readonly home = mkdtempSync(join(tmpdir(), 'bkp-migrating-'))
  readonly config = join(this.home, 'config.yaml')
  readonly #programs = join(this.home, 'bin')
  readonly #secrets: string[] = [passphrase]
  env: Readonly<Record<string, string>> = {}
  #backups = 0

  constructor() {
    mkdirSync(this.#programs)
    mkdirSync(join(this.home, 'source'))
    const shim = join(this.#programs, 'bkp')
    writeFileSync(shim, `#!/bin/sh\nexec '${process.execPath}' '${executable}' "$@"\n`)
    chmodSync(shim, 0o755)
  }

  /** Texts that no output may hold. */
  keepSecret(...secrets: readonly string[]): void {
    this.#secrets.push(...secrets)
  }

  /** Writes the configuration, makes the repository and backs up. */
  async begin(name: string, url: string, options: Readonly<Record<string, unknown>> = {}): Promise<void> {
    const written = JSON.stringify({ url, options })
    writeFileSync(
      this.config,
      `version: 1\nrepositories:\n  photos:\n    destinations:\n      ${name}: ${written}\njobs:\n  ssd: { paths: [source] }\n`,
    )
    reportOf(await this.bkp('init', '--to', name, '--json'), 0)
    for (let n = 0; n < 4; n++) await this.backUp()
  }

  /** Runs the job, wherever the configuration says that it goes. */
  async backUp(): Promise<void> {
    this.#backups++
    writeFileSync(join(this.home, 'source', `file ${this.#backups}`), noise(bytesPerBackup, this.#backups))
    reportOf(await this.bkp('backup', 'ssd', '--json'), 0)
  }

  async bkp(...args: string[]): Promise<Ran> {
    return this.#checked(await bkp(args, { env: { ...this.env, BKP_CONFIG: this.config } }))
  }

  /** Runs a script of the documentation. */
  run(script: string, settings: Readonly<Record<string, string>>): ScriptRun {
    let child: ChildProcess | undefined
    const ran = new Promise<Ran>((resolve, reject) => {
      const started = spawn('bash', [join(scripts, script)], {
        // A group of its own, with everything that the script runs.
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          ...process.env,
          BKP_PASSWORD: passphrase,
          BKP_REPOSITORY: '',
          BKP_CACHE_DIR: join(this.home, 'cache'),
          XDG_STATE_HOME: join(this.home, 'state'),
          PAUSE: '0',
          ...this.env,
          ...settings,
          BKP_CONFIG: this.config,
          PATH: `${this.#programs}:${process.env.PATH}`,
        },
      })
      child = started
      let stdout = ''
      let stderr = ''
      started.stdout.setEncoding('utf8').on('data', (text: string) => {
        stdout += text
      })
      started.stderr.setEncoding('utf8').on('data', (text: string) => {
        stderr += text
      })
      started.on('error', reject)
      started.on('close', (code) => resolve({ code, stdout, stderr }))
    }).then((result) => this.#checked(result))
    return Object.assign(ran, {
      kill: () => {
        if (child?.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
      },
    })
  }

  /** Runs a script that must end with 0. */
  async mustRun(script: string, settings: Readonly<Record<string, string>>): Promise<Ran> {
    const ran = await this.run(script, settings)
    expectNoBreakdown(ran)
    expect({ code: ran.code, said: ran.stdout + ran.stderr }).toMatchObject({ code: 0 })
    return ran
  }

  /** Restores the newest snapshot from where the configuration says, and compares every byte. */
  async expectRestorable(from: string): Promise<void> {
    const target = join(this.home, 'restored')
    rmSync(target, { recursive: true, force: true })
    const source = join(this.home, 'source')
    reportOf(await this.bkp('restore', `latest:${source}`, '--from', from, '--target', target, '--json'), 0)
    const restored = readdirSync(target, { recursive: true, encoding: 'utf8' }).filter((name) => /file \d+$/.test(name))
    expect(restored).toHaveLength(this.#backups)
    for (const name of restored) {
      const original = join(source, name.slice(name.lastIndexOf('file ')))
      expect(Buffer.compare(readFileSync(join(target, name)), readFileSync(original))).toBe(0)
    }
  }

  dispose(): void {
    rmSync(this.home, { recursive: true, force: true })
  }

  #checked(ran: Ran): Ran {
    for (const secret of this.#secrets) expect(ran.stdout + ran.stderr).not.toContain(secret)
    return ran
  }
}
