import { spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { expectNoBreakdown } from '../../support/outcomes.js'
import type { Overheard } from '../../support/overheard.js'
import type { Ran } from '../../support/run-bkp.js'

const executable = fileURLToPath(new URL('../../../packages/cli/bin/run.js', import.meta.url))

export interface TypeOptions {
  /** The exit code it must end with, 0 unless told. */
  readonly code?: number
  readonly env?: Readonly<Record<string, string>>
}

/**
 * A machine of a user: a home folder of its own, `bkp` on the PATH, and nothing of whom runs the tests. Command lines are typed
 * as documentation shows them; what stands for a place there is the place of the test here.
 */
export class Workstation {
  readonly home = mkdtempSync(join(tmpdir(), 'bkp-home-'))
  /** Command lines that were typed, as they were typed. */
  readonly typed: string[] = []
  readonly #overheard: Overheard
  readonly #places: Readonly<Record<string, string>>

  /** @param places what is written in documentation, and what it is here */
  constructor(overheard: Overheard, places: Readonly<Record<string, string>> = {}) {
    this.#overheard = overheard
    this.#places = places
    this.write('bin/bkp', `#!/bin/sh\nexec '${process.execPath}' '${executable}' "$@"\n`, 0o755)
  }

  at(...names: string[]): string {
    return join(this.home, ...names)
  }

  write(name: string, content: string | Buffer, mode = 0o600): void {
    const path = this.at(name)
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    writeFileSync(path, content)
    chmodSync(path, mode)
  }

  /** Runs a command line, with its output for people. */
  type(line: string, options: TypeOptions = {}): Promise<Ran> {
    this.typed.push(line)
    return this.#run(line, options)
  }

  /** The same command line with its output for programs. */
  async ask<T>(line: string, options: TypeOptions = {}): Promise<T> {
    this.typed.push(line)
    return JSON.parse((await this.#run(`${line} --json`, options)).stdout) as T
  }

  remove(): void {
    rmSync(this.home, { recursive: true, force: true })
  }

  async #run(line: string, { code = 0, env = {} }: TypeOptions): Promise<Ran> {
    let command = line
    for (const [written, real] of Object.entries(this.#places)) command = command.replaceAll(written, real)
    const ran = await this.#spawn(line, command, env)
    expectNoBreakdown(ran)
    expect({ line, code: ran.code, said: (ran.stdout + ran.stderr).slice(0, 4000) }).toMatchObject({ code })
    return ran
  }

  #spawn(by: string, command: string, env: Readonly<Record<string, string>>): Promise<Ran> {
    return new Promise((resolve, reject) => {
      const child = spawn('/bin/sh', ['-c', command], {
        cwd: this.home,
        env: { HOME: this.home, PATH: `${this.at('bin')}:${process.env.PATH}`, NO_COLOR: '1', ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      const watch = this.#overheard.watch(by, child)
      let stdout = ''
      let stderr = ''
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        stdout += text
      })
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        stderr += text
      })
      child.on('error', reject)
      child.on('close', (code) => {
        watch.end({ code, stdout, stderr })
        resolve({ code, stdout, stderr })
      })
    })
  }
}
