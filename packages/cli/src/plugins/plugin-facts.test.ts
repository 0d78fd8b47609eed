import { describe, expect, it } from 'vitest'
import { factDifferences, factRows, type PluginFacts } from './plugin-facts.js'

const facts = (given: Partial<PluginFacts>) => ({ ports: {}, scripts: [], ...given }) as PluginFacts
const link = { source: { kind: 'link', spec: '/x' }, dependencies: ['left-pad'] } as const
const tarball = (...dependencies: string[]) =>
  ({ source: { kind: 'tarball', spec: '/x.tgz' }, dependencies }) as Partial<PluginFacts>

it('tells of dependencies of a new version that the old one had not, and the other way round', () => {
  const after = facts(tarball('left-pad@1.0.1', 'right-pad@1.0.0'))
  expect(factDifferences(tarball('left-pad@1.0.0', 'right-pad@1.0.0'), after)).toEqual([
    'dependency: + left-pad@1.0.1',
    'dependency: - left-pad@1.0.0',
  ])
})

it('does not compare what the author of a linked folder asks for with what was installed', () => {
  expect(factDifferences(link, facts(tarball('left-pad@1.0.0')))).toEqual(['source: /x → /x.tgz'])
  expect(factDifferences(tarball('left-pad@1.0.0'), facts(link))).toEqual(['source: /x.tgz → /x'])
  expect(factDifferences(link, facts({ ...link, dependencies: [] }))).toEqual(['dependency: - left-pad'])
})

describe('install scripts', () => {
  const scripts = [{ package: 'addon', scripts: ['install'] }]
  const of = (given: Partial<PluginFacts>) => facts({ ...tarball(), nativeFiles: [], scripts, ...given })
  const refused = of({ scriptsAllowed: false })
  const allowed = of({ scriptsAllowed: true })
  // As it is recorded when they have run, and as it is found in place then.
  const recorded = of({ scriptsAllowed: true, builtFiles: ['a.node'] })
  const inPlace = of({ scriptsAllowed: true, builtFiles: ['a.node'], nativeFiles: ['a.node'] })

  it('are a difference where they ran and do not now, or the other way round', () => {
    expect(factDifferences(refused, allowed)).toEqual(['install scripts: do not run → WILL RUN'])
    expect(factDifferences(recorded, refused)).toEqual(['install scripts: ran → do not run'])
    expect(factDifferences(refused, refused)).toEqual([])
    expect(
      factDifferences(of({ scripts: [], scriptsAllowed: false }), of({ scripts: [], scriptsAllowed: true })),
    ).toEqual([])
  })

  it('build native code that is no difference later, neither in place nor when it is to be built again', () => {
    for (const after of [inPlace, allowed]) expect(factDifferences(recorded, after)).toEqual([])
    expect(factDifferences(inPlace, allowed)).toEqual([])
    const more = of({ ...inPlace, nativeFiles: ['a.node', 'b.node'] })
    expect(factDifferences(recorded, more)).toEqual(['native code: + b.node'])
  })

  it('ran or will run', () => {
    const complete = { hosts: [], oclif: [], schemes: [], published: null, tarball: null }
    const row = (given: PluginFacts, state: 'to-install' | 'installed') =>
      factRows({ ...complete, ...given } as PluginFacts, 0, state).find(([what]) => what === 'install scripts')?.[1]
    expect(row(allowed, 'to-install')).toContain('WILL RUN')
    expect(row(recorded, 'installed')).toBe('addon (install): ran when it was installed')
    expect(row(refused, 'installed')).toContain('do not run without --allow-scripts')
  })
})
