import { expect, it } from 'vitest'
import { factDifferences, type PluginFacts } from './plugin-facts.js'

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
