import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const executable = fileURLToPath(new URL('../../../../packages/cli/bin/run.js', import.meta.url))
const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`

/** Runs bkp on a pseudo-terminal (by util-linux's `script`) and answers its question once it stands there. */
export function bkpAtTerminal(
  args: readonly string[],
  answer: 'y' | 'n' | '',
  env: Readonly<Record<string, string>>,
): Promise<{ readonly code: number | null; readonly screen: string }> {
  return new Promise((resolve, reject) => {
    const command = [process.execPath, executable, ...args].map(quote).join(' ')
    const child = spawn('script', ['-qec', command, '/dev/null'], { env: { ...process.env, ...env } })
    let screen = ''
    let isAnswered = false
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      screen += text
      if (isAnswered || !screen.includes('(y/N)')) return
      isAnswered = true
      child.stdin.write(`${answer}\r`)
    })
    child.stdin.on('error', () => undefined)
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, screen }))
  })
}
