import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { type CompletedCommand, completionScript } from './completion.js'

const flag = { summary: "how to [write] a 'word': any", isRepeatable: false, takesValue: true, options: [] }
const commands: CompletedCommand[] = [
  {
    id: 'backup',
    summary: 'Make a snapshot.',
    flags: [
      { ...flag, name: 'compression', options: ['zstd', 'deflate', 'none'] },
      { ...flag, name: 'exclude', isRepeatable: true },
      { ...flag, name: 'dry-run', takesValue: false },
    ],
  },
  { id: 'config:show', summary: 'Show.', flags: [{ ...flag, name: 'config' }] },
  { id: 'config:edit', summary: 'Edit.', flags: [] },
  { id: 'ls', summary: 'List what is in a snapshot.', flags: [] },
]

/** What bash offers for a line that is typed up to its end. */
function bashOffers(words: readonly string[]): string[] {
  const quoted = words.map((word) => `'${word}'`).join(' ')
  const script = `${completionScript('bash', 'bkp', commands)}
    COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _bkp; echo "\${COMPREPLY[@]}"; complete -p bkp >&2`
  const { stdout, stderr, status } = spawnSync('bash', ['-euc', script], { encoding: 'utf8' })
  expect(status, stderr).toBe(0)
  expect(stderr).toContain('-F _bkp bkp')
  return stdout.split(/\s+/).filter((word) => word !== '')
}

describe('completion in bash', () => {
  it('offers commands', () => {
    expect(bashOffers(['bkp', 'ba'])).toEqual(['backup'])
    expect(bashOffers(['bkp', ''])).toEqual(['backup', 'config', 'ls'])
  })

  it('offers the second word of a command, and its flags', () => {
    expect(bashOffers(['bkp', 'config', ''])).toEqual(['show', 'edit'])
    expect(bashOffers(['bkp', 'config', 'sh'])).toEqual(['show'])
    expect(bashOffers(['bkp', 'config', 'show', '--'])).toEqual(['--config'])
  })

  it('offers the flags of the command', () => {
    expect(bashOffers(['bkp', 'backup', '--'])).toEqual(['--compression', '--exclude', '--dry-run'])
    expect(bashOffers(['bkp', 'ls', '--'])).toEqual([])
  })

  it('offers the values of a flag, after a blank and after "="', () => {
    expect(bashOffers(['bkp', 'backup', '--compression', 'd'])).toEqual(['deflate'])
    expect(bashOffers(['bkp', 'backup', '--compression', '='])).toEqual(['zstd', 'deflate', 'none'])
    expect(bashOffers(['bkp', 'backup', '--compression', '=', 'z'])).toEqual(['zstd'])
  })

  it('leaves file names to bash', () => {
    expect(bashOffers(['bkp', 'backup', '/ho'])).toEqual([])
  })
})

describe('completion in other shells', () => {
  it('for zsh describes flags with their special characters masked', () => {
    const script = completionScript('zsh', 'bkp', commands)
    expect(script).toMatch(/^#compdef bkp\n/)
    expect(script).toContain(`'--compression=[how to \\[write\\] a '\\''word'\\''\\: any]:value:(zstd deflate none)'`)
    expect(script).toContain("'*--exclude=[")
  })

  it('for fish has one line per command and per flag', () => {
    const lines = completionScript('fish', 'bkp', commands).split('\n')
    expect(lines).toHaveLength(9)
    expect(lines[2]).toContain("-l compression -r -f -a 'zstd deflate none' -d 'how to [write] a \\'word\\': any'")
  })
})
