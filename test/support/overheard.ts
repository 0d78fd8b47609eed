import type { ChildProcess } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { expect } from 'vitest'
import { bkp, type Ran, type RunOptions } from './run-bkp.js'

const lookEveryMs = 15

interface Heard {
  /** What was run, for people. */
  readonly by: string
  readonly where: 'output' | 'arguments'
  readonly text: string
}

/**
 * Everything that bkp said, and the command lines of all processes that it started, as every user of the machine sees them;
 * and the secrets that may be in none of it.
 */
export class Overheard {
  readonly #heard: Heard[] = []
  readonly #secrets = new Map<string, string>()

  /** @param secret at least eight characters: shorter ones stand in other words */
  confide(name: string, secret: string): void {
    if (secret.length < 8) throw new Error(`${name} is too short to be told from other text`)
    this.#secrets.set(name, secret)
  }

  /** As `bkp` of run-bkp. */
  async bkp(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
    const by = `bkp ${args.join(' ')}`
    let watch: Watch | undefined
    const ran = await bkp(args, {
      ...options,
      onStart: (child) => {
        watch = this.watch(by, child)
        options.onStart?.(child)
      },
    })
    watch?.end(ran)
    return ran
  }

  /** Listens to a process that somebody else started, and to all below it. */
  watch(by: string, child: ChildProcess): Watch {
    const seen = new Set<string>()
    const look = () => {
      for (const text of commandLinesBelow(child.pid)) seen.add(text)
    }
    look()
    const timer = setInterval(look, lookEveryMs)
    return {
      end: ({ stdout, stderr }) => {
        clearInterval(timer)
        this.#heard.push({ by, where: 'output', text: stdout + stderr })
        for (const text of seen) this.#heard.push({ by, where: 'arguments', text })
      },
    }
  }

  /** `bkp init`, which alone may say the recovery code, and does; it is a secret from then on. */
  async init(run: () => Promise<Ran>): Promise<{ readonly ran: Ran; readonly recoveryCode: string }> {
    const before = this.#heard.length
    const ran = await run()
    const [recoveryCode] = /\b(?:[0-9A-Z]{4}-){8}[0-9A-Z]{4}\b/i.exec(ran.stdout) ?? []
    if (recoveryCode === undefined) throw new Error(`There is no recovery code in: ${ran.stdout}${ran.stderr}`)
    for (const [n, heard] of this.#heard.entries()) {
      if (n >= before && heard.where === 'output')
        this.#heard[n] = { ...heard, text: heard.text.replace(recoveryCode, '') }
    }
    this.confide('recovery code', recoveryCode)
    this.confide('recovery code, bare', recoveryCode.replaceAll('-', ''))
    return { ran, recoveryCode }
  }

  /** Every secret that was said, with what said it; in the forms in which secrets travel. */
  leaks(): readonly string[] {
    const found = new Set<string>()
    for (const [name, secret] of this.#secrets) {
      for (const form of formsOf(secret)) {
        for (const { by, where, text } of this.#heard)
          if (text.includes(form)) found.add(`${name} in the ${where} of: ${by}`)
      }
    }
    return [...found]
  }

  /** Fails when a secret was said, and when nothing was heard at all. */
  expectNoLeaks(): void {
    expect(this.#secrets.size).toBeGreaterThan(0)
    expect(this.#heard.filter(({ where, text }) => where === 'output' && text !== '').length).toBeGreaterThan(0)
    expect(this.#heard.filter(({ where, text }) => where === 'arguments' && text !== '').length).toBeGreaterThan(0)
    expect(this.leaks()).toEqual([])
  }
}

export interface Watch {
  end(ran: Ran): void
}

function formsOf(secret: string): readonly string[] {
  const base64 = Buffer.from(secret).toString('base64').replaceAll('=', '')
  return [
    secret,
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    base64,
    Buffer.from(secret).toString('hex'),
  ]
}

/** Arguments of a process and all that it started, where the system tells. */
function commandLinesBelow(pid: number | undefined): string[] {
  if (pid === undefined) return []
  try {
    const own = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
    const threads = readdirSync(`/proc/${pid}/task`)
    const children = threads.flatMap((thread) => childrenOf(pid, thread))
    return [own, ...children.flatMap(commandLinesBelow)]
  } catch {
    // It has ended meanwhile.
    return []
  }
}

function childrenOf(pid: number, thread: string): number[] {
  const listed = readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').trim()
  return listed === '' ? [] : listed.split(' ').map(Number)
}
